//! What SQLite's planner goes by.

use storage::{Database, Error, Location, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "rows",
    sql: "CREATE TABLE rows (id TEXT PRIMARY KEY, owner TEXT NOT NULL);
          CREATE INDEX rows_by_owner ON rows (owner)",
}];

/// Statistics of a database that was small when it was closed would have the planner scan what has grown since.
#[tokio::test]
async fn closing_leaves_no_statistics_behind() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("small.db"));
    for round in 0..2_i64 {
        let database = Database::open(&location, MIGRATIONS).await.unwrap();
        let statistics = database
            .write(move |tx| -> Result<i64, Error> {
                tx.execute("INSERT INTO rows VALUES ($1, 'a')", &[&format!("row {round}")])?;
                tx.query("SELECT id FROM rows WHERE owner = 'a'", &[])?;
                let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'sqlite_stat%'";
                tx.query_one(sql, &[])?.get(0)
            })
            .await
            .unwrap();
        assert_eq!(statistics, 0);
        database.close().await;
    }
}
