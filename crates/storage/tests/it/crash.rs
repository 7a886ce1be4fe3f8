//! `kill -9` in the middle of writing: what was answered is there after a restart, and no unit is there by half.
//!
//! The test starts itself once more as the process that is killed.

#![allow(
    clippy::print_stdout,
    reason = "a test stops at what it did not expect; the victim speaks to it through a pipe"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use storage::{Database, Error, Location, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "pairs",
    sql: "CREATE TABLE pairs (id TEXT PRIMARY KEY, task BIGINT NOT NULL, n BIGINT NOT NULL);",
}];
const DIRECTORY: &str = "STORAGE_CRASH_TEST_DIRECTORY";
const TASKS: i64 = 8;
/// The victim is killed after so many answers were seen from outside.
const ANSWERS: usize = 300;

fn location(directory: &Path) -> Location {
    Location::File(directory.join("crash.db"))
}

/// Writes pairs of rows for ever, and says each pair after it was answered. Does nothing in a normal test run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let database = Database::open(&location(Path::new(&directory)), MIGRATIONS).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let database = database.clone();
            tokio::spawn(async move {
                for n in 0_i64.. {
                    let written: Result<(), Error> = database
                        .write(move |tx| {
                            for half in ["a", "b"] {
                                let sql = "INSERT INTO pairs (id, task, n) VALUES ($1, $2, $3)";
                                tx.execute(sql, &[&format!("{task}-{n}-{half}"), &task, &n])?;
                            }
                            Ok(())
                        })
                        .await;
                    written.unwrap();
                    println!("\nanswered {task} {n}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_keeps_what_it_answered_and_nothing_by_half() {
    let directory = tempfile::tempdir().unwrap();
    // More than once: each start recovers the log that the one before left behind.
    for round in 0..3 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::victim", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut answered = vec![-1_i64; usize::try_from(TASKS).unwrap()];
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.unwrap();
            let Some(said) = line.strip_prefix("answered ") else { continue };
            let (task, n) = said.split_once(' ').unwrap();
            answered[task.parse::<usize>().unwrap()] = n.parse().unwrap();
            seen += 1;
            if seen == ANSWERS {
                victim.kill().unwrap();
                // What it said before it died still counts: the loop goes on to the end of the pipe.
            }
        }
        victim.wait().unwrap();
        assert!(seen >= ANSWERS, "the victim wrote {seen} units only in round {round}");

        let database = Database::open(&location(directory.path()), MIGRATIONS).await.unwrap();
        for (task, last) in answered.into_iter().enumerate() {
            let task = i64::try_from(task).unwrap();
            let found: Result<(i64, i64, i64), Error> = database
                .read(move |tx| {
                    let sql = "SELECT COUNT(*), COUNT(DISTINCT n), COALESCE(MAX(n), -1) FROM pairs WHERE task = $1";
                    let row = tx.query_one(sql, &[&task])?;
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .await;
            let (rows, pairs, newest) = found.unwrap();
            assert_eq!(rows, 2 * pairs, "half a unit was kept");
            assert_eq!(newest + 1, pairs, "a unit between others is missing");
            // At most the one unit that was committed and not yet answered.
            assert!(
                newest == last || newest == last + 1,
                "task {task}: {last} was answered, {newest} is kept"
            );
        }
        let emptied: Result<u64, Error> =
            database.write(|tx| tx.execute("DELETE FROM pairs", &[])).await;
        emptied.unwrap();
        database.close().await;
    }
}
