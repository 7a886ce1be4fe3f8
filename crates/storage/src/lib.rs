//! One unit of work over SQLite or PostgreSQL: transactions, migrations, leases, group commit.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use storage::{Database, Error, Location, Migration};
//!
//! const MIGRATIONS: &[Migration] = &[Migration {
//!     version: 1,
//!     name: "notes",
//!     sql: "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL, created_at_ms BIGINT NOT NULL);",
//! }];
//!
//! let database = Database::open(&Location::Memory, MIGRATIONS).await?;
//! database
//!     .write(|tx| tx.execute("INSERT INTO notes VALUES ($1, $2, $3)", &[&"n1", &"hello", &1_i64]))
//!     .await?;
//! let body: String = database
//!     .read(|tx| tx.query_one("SELECT body FROM notes WHERE id = $1", &[&"n1"])?.get(0))
//!     .await?;
//! assert_eq!(body, "hello");
//! # Ok::<(), Error>(()) }).unwrap();
//! ```
//!
//! # The rules of a unit of work
//!
//! - The closure is plain, synchronous code: nothing can be awaited, so no network call can hold a transaction open.
//! - It may run more than once (PostgreSQL repeats it when transactions collide), so it has no effect but its
//!   statements and its result.
//! - Units are serialisable: they take effect as if they ran one after another.
//! - `Err` undoes this unit and no other. A panic does the same and becomes an [`Error`].
//! - Once a statement has failed, the unit can only fail, on both engines alike. Where a conflict is expected, say
//!   `ON CONFLICT` and look at the number of rows.
//! - [`Database::write`] resolves when the unit is durable. A future that is dropped earlier may still be committed.
//!
//! # What this crate does not know
//!
//! Payments, HTTP, clocks. Whatever is time here is passed in as unix milliseconds.

pub mod backup;
mod database;
mod error;
mod migrate;
mod observer;
mod postgres;
pub mod queue;
mod sql;
mod sqlite;
mod tx;
mod value;

pub use database::{Database, Engine, Location};
pub use error::{Error, ErrorKind};
pub use migrate::Migration;
pub use observer::Observer;
#[cfg(feature = "simulation")]
pub use sqlite::simulated::{Mishap, Mishaps};
pub use tx::Tx;
pub use value::{FromValue, Row, Stored, ToValue, ValueRef};
