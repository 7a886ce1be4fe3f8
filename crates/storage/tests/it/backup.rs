//! Copies of a database: taken while it is written to, checked, never over anything, and put back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage::{Database, Error, ErrorKind, Location, Migration, backup};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "two books",
    sql: "CREATE TABLE debits (id BIGINT PRIMARY KEY, note TEXT NOT NULL);
          CREATE TABLE credits (id BIGINT PRIMARY KEY, note TEXT NOT NULL);",
}];

async fn open(path: &Path) -> Database {
    Database::open(&Location::File(path.to_path_buf()), MIGRATIONS).await.unwrap()
}

/// Both books get the same entry in one unit of work.
async fn book(database: &Database, id: i64, note: &'static str) {
    database
        .write(move |tx| {
            tx.execute("INSERT INTO debits (id, note) VALUES ($1, $2)", &[&id, &note])?;
            tx.execute("INSERT INTO credits (id, note) VALUES ($1, $2)", &[&id, &note])
        })
        .await
        .unwrap();
}

/// How many entries each book has.
async fn counts(database: &Database) -> (i64, i64) {
    database
        .read(|tx| {
            let debits = tx.query_one("SELECT COUNT(*) FROM debits", &[])?.get(0)?;
            let credits = tx.query_one("SELECT COUNT(*) FROM credits", &[])?.get(0)?;
            Ok::<_, Error>((debits, credits))
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_taken_under_load_is_one_instant_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (live, restored) = (folder.path().join("live.db"), folder.path().join("restored.db"));
    let database = open(&live).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4_i64)
        .map(|writer| {
            let (database, stop) = (database.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut written = 0;
                while !stop.load(Ordering::Relaxed) {
                    book(&database, writer * 1_000_000 + written, "entry").await;
                    written += 1;
                }
                written
            })
        })
        .collect();
    let mut seen = 0;
    for number in 0..5 {
        while counts(&database).await.0 < seen + 50 {
            tokio::task::yield_now().await;
        }
        let (at_least, _) = counts(&database).await;
        let copy = folder.path().join(format!("copy-{number}.db"));
        let copied = backup::copy(&live, &copy).await.unwrap();
        assert_eq!(copied.bytes, copy.metadata().unwrap().len());
        let restored = folder.path().join(format!("restored-{number}.db"));
        backup::restore(&copy, &restored).await.unwrap();
        let again = open(&restored).await;
        let (debits, credits) = counts(&again).await;
        assert_eq!(debits, credits, "one instant");
        assert!(debits >= at_least, "what was committed before is in it: {debits} < {at_least}");
        again.close().await;
        seen = debits;
    }
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert_eq!(counts(&database).await, (written, written), "nobody was disturbed");
    database.close().await;
    // And of one that nobody has open.
    let last = folder.path().join("last.db");
    backup::copy(&live, &last).await.unwrap();
    backup::restore(&last, &restored).await.unwrap();
    assert_eq!(counts(&open(&restored).await).await, (written, written));
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let database = open(&path("live.db")).await;
    book(&database, 1, "entry").await;
    backup::copy(&path("live.db"), &path("copy.db")).await.unwrap();
    let before = std::fs::read(path("copy.db")).unwrap();

    let refused = backup::copy(&path("live.db"), &path("copy.db")).await.unwrap_err();
    assert!(refused.to_string().contains("exists, and nothing is overwritten"), "{refused}");
    assert_eq!(std::fs::read(path("copy.db")).unwrap(), before);

    // A database that a program has open.
    let refused = backup::restore(&path("copy.db"), &path("live.db")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InUse, "{refused}");
    database.close().await;
    drop(database);
    // One that nobody has open, and the log of one that is gone.
    let refused = backup::restore(&path("copy.db"), &path("live.db")).await.unwrap_err();
    assert!(refused.to_string().contains("move it away first"), "{refused}");
    std::fs::write(path("new.db-wal"), "the log of another database").unwrap();
    let refused = backup::restore(&path("copy.db"), &path("new.db")).await.unwrap_err();
    assert!(refused.to_string().contains("new.db-wal exists"), "{refused}");

    assert!(backup::copy(&path("nothing.db"), &path("other.db")).await.is_err());
    let mut left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension() != Some("lock".as_ref()))
        .collect();
    left.sort();
    assert_eq!(left, ["copy.db", "live.db", "new.db-wal"]);
}

#[tokio::test]
async fn what_is_damaged_or_strange_is_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let database = open(&path("live.db")).await;
    for id in 0..500 {
        book(&database, id, "an entry that takes some room in the file, so that there are pages")
            .await;
    }
    database.close().await;
    backup::copy(&path("live.db"), &path("copy.db")).await.unwrap();
    backup::check(&path("copy.db")).await.unwrap();

    let mut bytes = std::fs::read(path("copy.db")).unwrap();
    let third_page = bytes.get_mut(8192..12288).unwrap();
    third_page.fill(0xa5);
    std::fs::write(path("damaged.db"), &bytes).unwrap();
    std::fs::write(path("text.db"), "this is no database, however long the text may be").unwrap();
    rusqlite_file(&path("strange.db"));
    for name in ["damaged.db", "text.db", "strange.db", "nothing.db"] {
        let refused = backup::restore(&path(name), &path("new.db")).await.unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
        assert!(!path("new.db").exists(), "{name}");
    }
}

/// A database that some other program made.
fn rusqlite_file(path: &Path) {
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.execute_batch("CREATE TABLE notes (body TEXT)").unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_for_the_owners_eyes_and_holds_nothing_that_was_deleted() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
    let database = open(&live).await;
    book(&database, 1, "marked-and-deleted").await;
    book(&database, 2, "marked-and-kept").await;
    database
        .write(|tx| {
            tx.execute("DELETE FROM debits WHERE id = 1", &[])?;
            tx.execute("DELETE FROM credits WHERE id = 1", &[])
        })
        .await
        .unwrap();
    backup::copy(&live, &copy).await.unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&copy).unwrap();
    let holds = |mark: &str| bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
    assert!(holds("marked-and-kept"));
    assert!(!holds("marked-and-deleted"));
}
