//! `kassa backup` and `kassa restore`: copies of the gateway's database, made while it runs and put back.
//!
//! PostgreSQL has tools of its own for this; the commands say which. The master key is never in a copy:
//! whoever has both can read what is sealed, so they are kept apart.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use gateway::operator::time_text;
use serde_json::{Value, json};
use service::{Clock as _, SystemClock};
use storage::{Location, backup};

use crate::cli::{DataArgs, GatewayArgs};
use crate::file::File;
use crate::report::{Output, event, out};
use crate::run::database;
use crate::settings::Home;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) const BACKUP_EXAMPLES: &str = "\
Examples:
  kassa backup /backups/gateway-2031-05-04.db
  kassa backup --data-dir /var/lib/kassa --json /backups/gateway.db

The gateway may run meanwhile. The copy is checked before it gets its name, and nothing is overwritten.
Keep the master key (master-key in the data directory, or where KASSA_MASTER_KEY comes from) as well, and
apart: without it the stored credentials of Klarna cannot be read again, and beside the copy it protects
nothing. With PostgreSQL: pg_dump --format=custom --file=FILE URL.";

pub(crate) const RESTORE_EXAMPLES: &str = "\
Examples:
  kassa restore /backups/gateway-2031-05-04.db
  kassa restore --data-dir /var/lib/kassa /backups/gateway.db

Nothing is overwritten: stop the gateway and move gateway.db, gateway.db-wal and gateway.db-shm away first.
The gateway that is started next asks Klarna what happened since the copy was taken, and accepts nothing for
a payment before that. With PostgreSQL: pg_restore --clean --if-exists --exit-on-error --dbname=URL FILE,
then `kassa gateway reconcile`.";

/// Flags of `kassa backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The database, if it is not in the data directory: sqlite:PATH
    #[arg(long, env = "KASSA_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

/// Flags of `kassa restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The database, if it is not in the data directory: sqlite:PATH
    #[arg(long, env = "KASSA_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// The copy to put back
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

/// Copies the database.
pub(crate) async fn back_up(args: BackupArgs, file: &File, output: Output) -> Outcome<()> {
    let home = Home::resolve(&args.data, file);
    let from = path(
        database(args.database.as_deref(), file, &home)?,
        "pg_dump --format=custom --file=FILE URL",
    )?;
    let taken_at = time_text(SystemClock.now_ms());
    let copied = backup::copy(&from, &args.to).await?;
    let to = args.to.display();
    match output {
        Output::Human => out(&format!(
            "{to} holds the database as it was at {taken_at} ({} bytes, checked).\n\
             Keep the master key too, and apart from it.\n",
            copied.bytes
        )),
        Output::Json => event(
            "backed_up",
            &json!({ "file": to.to_string(), "bytes": copied.bytes, "taken_at": taken_at }),
        ),
    }
    Ok(())
}

/// Puts a copy back, and has Klarna asked what happened since.
pub(crate) async fn restore(args: RestoreArgs, file: &File, output: Output) -> Outcome<()> {
    let home = Home::resolve(&args.data, file);
    let location = database(args.database.as_deref(), file, &home)?;
    let to = path(
        location.clone(),
        "pg_restore --clean --if-exists --exit-on-error --dbname=URL FILE, then kassa gateway reconcile",
    )?;
    let copied = backup::restore(&args.from, &to).await?;
    let begun = gateway::operator::reconcile(&location, &SystemClock).await?;
    let mut told = told(&begun);
    if let Some(members) = told.as_object_mut() {
        members.insert("database".to_owned(), json!(to.display().to_string()));
        members.insert("bytes".to_owned(), json!(copied.bytes));
    }
    match output {
        Output::Human => out(&format!("{} is in place again.\n{}", to.display(), page(&begun))),
        Output::Json => event("restored", &told),
    }
    Ok(())
}

/// Has Klarna asked what happened since a copy was taken.
pub(crate) async fn reconcile(args: GatewayArgs, file: &File, output: Output) -> Outcome<()> {
    let home = Home::resolve(&args.data, file);
    let location = database(args.database.as_deref(), file, &home)?;
    let begun = gateway::operator::reconcile(&location, &SystemClock).await?;
    match output {
        Output::Human => out(&page(&begun)),
        Output::Json => event("reconciling", &told(&begun)),
    }
    Ok(())
}

fn told(begun: &gateway::engine::reconcile::Begun) -> Value {
    json!({
        "payments": begun.payments,
        "operations": begun.operations,
        "checkouts": begun.checkouts,
        "sessions_ended": begun.sessions,
        "known_until": begun.known_until_ms.map(time_text),
    })
}

fn page(begun: &gateway::engine::reconcile::Begun) -> String {
    let until = begun.known_until_ms.map_or_else(
        || "nothing has ever happened in it".to_owned(),
        |at_ms| format!("the last thing it knows of happened at {}", time_text(at_ms)),
    );
    format!(
        "It is whole, and {until}.\n\
         The gateway that is started next asks Klarna about {} payments, {} open checkouts and {} \
         operations that were not settled. Everybody has to sign in again.\n\
         What was done since then in the gateway alone is not in it: look through keys and users \
         (`kassa gateway keys list`, `kassa gateway users list`), and repeat erasures.\n",
        begun.payments, begun.checkouts, begun.operations
    )
}

fn path(location: Location, tool: &str) -> Outcome<PathBuf> {
    match location {
        Location::File(path) => Ok(path),
        Location::Memory => {
            Err("what is kept in memory cannot be copied: name a --data-dir".into())
        }
        Location::Postgres(_) => {
            Err(format!("PostgreSQL is copied with its own tools: {tool}").into())
        }
    }
}
