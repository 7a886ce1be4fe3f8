//! PostgreSQL, and what speaks its protocol: a pool of connections, a blocking thread for each running unit.
//!
//! Only what the distributed engines accept as well is used: no advisory locks, no LISTEN/NOTIFY; migrations exclude one
//! another by a row lock. Connections are not encrypted by this crate: the server belongs on loopback or a private
//! network, and `sslmode=require` is refused by the driver with an error that says so.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{NoTls, Statement};

use crate::Engine;
use crate::error::{self, Error, ErrorKind};
use crate::migrate::{self, Applied, Migration};
use crate::observer::Observed;
use crate::sql::{self, Translations};
use crate::tx::{Inner, Sql, Tx};
use crate::value::{Row, ToValue, Value, ValueRef};

/// Connections kept if the URL does not say `pool_size`.
const POOL_SIZE: usize = 16;
/// How long a unit waits for a free connection before it is refused.
const POOL_WAIT: Duration = Duration::from_secs(10);
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// A node that stops in the middle of a unit (paused, cut off) keeps its row locks no longer than this.
const IDLE_IN_TRANSACTION_MS: u32 = 30_000;
/// How often a unit is run before its conflict is reported.
const ATTEMPTS: u32 = 16;
const BACKOFF_FIRST_MS: u64 = 2;
const BACKOFF_MOST_MS: u64 = 250;

/// What a unit of work needs from its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Serialisable; repeated on conflict.
    Serializable,
    /// Read committed: the unit locks the rows that it depends on.
    RowLocked,
    /// One snapshot, nothing written.
    Snapshot,
}

impl Isolation {
    fn begin(self) -> &'static str {
        match self {
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::RowLocked => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

pub(crate) struct Postgres {
    pool: Pool,
    translations: Arc<Mutex<Translations>>,
    observed: Observed,
}

/// How one attempt at a unit ended.
enum Ended<T, E> {
    Answer(Result<T, E>),
    /// Nothing was committed, and running the unit again may succeed.
    Again(Error),
}

impl Postgres {
    pub(crate) async fn open(url: &str, migrations: &[Migration]) -> Result<Self, Error> {
        let postgres =
            Self { pool: pool(url)?, translations: Arc::default(), observed: Observed::default() };
        postgres.migrate(migrations).await?;
        Ok(postgres)
    }

    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    pub(crate) async fn run<T, E, F>(&self, isolation: Isolation, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut work = work;
        let mut attempt = 0;
        loop {
            // The connection first: no more threads are blocked than there are connections.
            let ended = match self.connection().await {
                Ok(client) => {
                    let handle = Handle::current();
                    let translations = Arc::clone(&self.translations);
                    let observed = self.observed.clone();
                    let blocking = tokio::task::spawn_blocking(move || {
                        let place = Place {
                            handle: &handle,
                            translations: &translations,
                            observed: &observed,
                        };
                        let ended = run_once(&place, client, isolation, &work);
                        (work, ended)
                    });
                    let Ok((returned, ended)) = blocking.await else {
                        // The runtime is being shut down: panics of the unit are caught further in.
                        return Err(error::closed().into());
                    };
                    work = returned;
                    ended
                }
                Err(error) if error.kind() == ErrorKind::Unavailable => Ended::Again(error),
                Err(error) => return Err(error.into()),
            };
            match ended {
                Ended::Answer(answer) => return answer,
                Ended::Again(error) => {
                    attempt += 1;
                    if attempt >= ATTEMPTS {
                        let message = format!("{error} (given up after {attempt} attempts)");
                        return Err(Error::with_source(error.kind(), message, error).into());
                    }
                    tracing::debug!(attempt, error = %error, "a unit of work is run again");
                    tokio::time::sleep(backoff(attempt)).await;
                }
            }
        }
    }

    async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                Error::new(ErrorKind::Busy, "no connection to PostgreSQL became free in time")
            }
            PoolError::Closed => error::closed(),
            PoolError::Backend(source) => engine_error(source, "PostgreSQL cannot be reached"),
            PoolError::PostCreateHook(HookError::Backend(source)) => {
                engine_error(source, "a connection to PostgreSQL cannot be set up")
            }
            other => {
                Error::with_source(ErrorKind::Unavailable, "PostgreSQL cannot be reached", other)
            }
        })
    }

    /// Each migration is a transaction of its own, since not every engine of this family rolls several changes of the
    /// schema back. Nodes that start together queue up at one row.
    async fn migrate(&self, migrations: &[Migration]) -> Result<(), Error> {
        let client = self.connection().await?;
        // Two nodes that make the same table at once collide in the catalogue, IF NOT EXISTS or not.
        for attempt in 1.. {
            let made = client
                .batch_execute(&format!(
                    "{};
                     CREATE TABLE IF NOT EXISTS schema_migration_lock (id BIGINT NOT NULL PRIMARY KEY);
                     INSERT INTO schema_migration_lock (id) VALUES (1) ON CONFLICT (id) DO NOTHING",
                    migrate::CREATE_TABLE
                ))
                .await;
            match made {
                Ok(()) => break,
                Err(_) if attempt < ATTEMPTS && !client.is_closed() => {
                    tokio::time::sleep(backoff(attempt)).await;
                }
                Err(source) => {
                    return Err(engine_error(source, "the table of migrations cannot be made"));
                }
            }
        }
        while self.migrate_one(&client, migrations).await? {}
        Ok(())
    }

    /// Applies the next migration that is due; `false` if there is none.
    async fn migrate_one(&self, client: &Object, migrations: &[Migration]) -> Result<bool, Error> {
        let failed = |source| engine_error(source, "the migrations cannot be read");
        client.batch_execute(Isolation::RowLocked.begin()).await.map_err(failed)?;
        let outcome = self.migrate_one_inside(client, migrations).await;
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = client.batch_execute(end).await;
        let due = outcome?;
        ended.map_err(|source| engine_error(source, "a migration cannot be committed"))?;
        Ok(due)
    }

    async fn migrate_one_inside(
        &self,
        client: &Object,
        migrations: &[Migration],
    ) -> Result<bool, Error> {
        let failed = |source| engine_error(source, "the migrations cannot be read");
        client
            .query("SELECT id FROM schema_migration_lock WHERE id = 1 FOR UPDATE", &[])
            .await
            .map_err(failed)?;
        let mut applied = Vec::new();
        for row in &client.query(migrate::SELECT, &[]).await.map_err(failed)? {
            let text = |index| row.try_get::<_, String>(index).map_err(failed);
            applied.push(Applied {
                version: row.try_get(0).map_err(failed)?,
                name: text(1)?,
                checksum: text(2)?,
            });
        }
        let Some(migration) = migrate::pending(migrations, &applied)?.first() else {
            return Ok(false);
        };
        let failed = |source| {
            let error = engine_error(source, "a statement failed");
            let message =
                format!("migration {} \"{}\" failed: {error}", migration.version, migration.name);
            Error::with_source(ErrorKind::Migration, message, error)
        };
        for statement in sql::statements(migration.sql) {
            let statement = sql::for_engine(&statement, Engine::Postgres);
            client.batch_execute(&statement).await.map_err(failed)?;
        }
        client
            .execute(migrate::INSERT, &[&migration.version, &migration.name, &migration.checksum()])
            .await
            .map_err(failed)?;
        Ok(true)
    }
}

fn pool(url: &str) -> Result<Pool, Error> {
    // What the URL says is not repeated: it holds a password.
    let misuse = |what: &'static str| Error::new(ErrorKind::Misuse, what);
    let (url, pool_size) = take_pool_size(url);
    let size = match pool_size {
        None => POOL_SIZE,
        Some(text) => match text.parse() {
            Ok(size) if size > 0 => size,
            _ => return Err(misuse("`pool_size` in the PostgreSQL URL is not a positive number")),
        },
    };
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|source: tokio_postgres::Error| {
            Error::with_source(ErrorKind::Misuse, "the PostgreSQL URL cannot be understood", source)
        })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    if config.get_application_name().is_none() {
        config.application_name(env!("CARGO_PKG_NAME"));
    }
    config.keepalives_idle(Duration::from_secs(30));
    let manager = Manager::from_config(
        config,
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let set_up = format!("SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}");
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(POOL_WAIT))
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(move |client, _| {
            let set_up = set_up.clone();
            Box::pin(async move { client.batch_execute(&set_up).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(|source| {
            Error::with_source(ErrorKind::Engine, "the pool of connections cannot be made", source)
        })
}

/// Takes our own `pool_size=N` out of the URL's parameters: the driver refuses what it does not know.
fn take_pool_size(url: &str) -> (String, Option<&str>) {
    let Some((base, parameters)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let (ours, others): (Vec<&str>, Vec<&str>) =
        parameters.split('&').partition(|parameter| parameter.starts_with("pool_size="));
    let separator = if others.is_empty() { "" } else { "?" };
    let size = ours.first().and_then(|parameter| parameter.split_once('=')).map(|(_, size)| size);
    (format!("{base}{separator}{}", others.join("&")), size)
}

/// Doubling, and anywhere between half and the whole of it, so that those who collided do not meet again.
fn backoff(attempt: u32) -> Duration {
    let most = BACKOFF_FIRST_MS.saturating_mul(1 << attempt.min(10)).min(BACKOFF_MOST_MS);
    Duration::from_millis(rand::random_range(most / 2..=most))
}

/// What a unit's thread needs besides its connection.
struct Place<'a> {
    handle: &'a Handle,
    translations: &'a Mutex<Translations>,
    observed: &'a Observed,
}

fn run_once<T, E, F>(
    place: &Place<'_>,
    client: Object,
    isolation: Isolation,
    work: &F,
) -> Ended<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E>,
    E: From<Error>,
{
    let ended = run_in_transaction(place, &client, isolation, work);
    if !matches!(ended, Ended::Answer(Ok(_)))
        && place.handle.block_on(client.batch_execute("ROLLBACK")).is_err()
    {
        // Not a connection to hand to the next unit.
        drop(Object::take(client));
    }
    ended
}

fn run_in_transaction<T, E, F>(
    place: &Place<'_>,
    client: &Object,
    isolation: Isolation,
    work: &F,
) -> Ended<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E>,
    E: From<Error>,
{
    let Place { handle, translations, observed } = *place;
    if let Err(source) = handle.block_on(client.batch_execute(isolation.begin())) {
        return again_or_answer(engine_error(source, "a transaction cannot be begun"));
    }
    let mut tx = Tx(Inner::Postgres(PostgresTx { handle, client, translations, failure: None }));
    let ran = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    let failure = match tx.0 {
        Inner::Postgres(tx) => tx.failure,
        // Nothing else was put in.
        Inner::Sqlite(_) => None,
    };
    match (ran, failure) {
        (Err(_), _) => Ended::Answer(Err(error::panicked().into())),
        // Whatever the closure made of it: the engine asks for a repetition.
        (Ok(_), Some(failure)) if is_repeatable(&failure) => Ended::Again(failure),
        (Ok(Err(refused)), _) => Ended::Answer(Err(refused)),
        // PostgreSQL would answer COMMIT with a rollback, and no error.
        (Ok(Ok(_)), Some(_)) => Ended::Answer(Err(error::doomed().into())),
        (Ok(Ok(value)), None) => match commit(handle, client, isolation, observed) {
            Ok(()) => Ended::Answer(Ok(value)),
            Err(source) => {
                let outcome_known = source.code().is_some_and(|code| {
                    *code != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
                        && !code.code().starts_with("08")
                        && !code.code().starts_with("57P")
                });
                let error = engine_error(source, "the unit of work cannot be committed");
                if outcome_known || isolation == Isolation::Snapshot {
                    again_or_answer(error)
                } else {
                    let message = "the connection broke during COMMIT: the unit may or may not have been committed";
                    Ended::Answer(Err(Error::with_source(
                        ErrorKind::OutcomeUnknown,
                        message,
                        error,
                    )
                    .into()))
                }
            }
        },
    }
}

fn commit(
    handle: &Handle,
    client: &Object,
    isolation: Isolation,
    observed: &Observed,
) -> Result<(), tokio_postgres::Error> {
    let begun = Instant::now();
    handle.block_on(client.batch_execute("COMMIT"))?;
    if isolation != Isolation::Snapshot {
        observed.committed(1, begun.elapsed());
    }
    Ok(())
}

fn again_or_answer<T, E: From<Error>>(error: Error) -> Ended<T, E> {
    if is_repeatable(&error) { Ended::Again(error) } else { Ended::Answer(Err(error.into())) }
}

/// Before COMMIT a lost connection is as harmless as a conflict: the server has rolled back.
fn is_repeatable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Unavailable)
}

/// The statements of one unit on one connection, seen from its blocking thread.
pub(crate) struct PostgresTx<'a> {
    handle: &'a Handle,
    client: &'a Object,
    translations: &'a Mutex<Translations>,
    /// The first statement that failed: the transaction is over, whatever the closure goes on to do.
    failure: Option<Error>,
}

impl PostgresTx<'_> {
    pub(crate) fn execute(&mut self, sql: Sql<'_>, params: &[&dyn ToValue]) -> Result<u64, Error> {
        self.statement(sql, params, async |client, statement, params| {
            client
                .execute(statement, params)
                .await
                .map_err(|source| engine_error(source, "a statement failed"))
        })
    }

    pub(crate) fn query(
        &mut self,
        sql: Sql<'_>,
        params: &[&dyn ToValue],
    ) -> Result<Vec<Row>, Error> {
        self.statement(sql, params, async |client, statement, params| {
            let rows = client
                .query(statement, params)
                .await
                .map_err(|source| engine_error(source, "a query failed"))?;
            rows.iter().map(owned).collect()
        })
    }

    fn statement<T>(
        &mut self,
        sql: Sql<'_>,
        params: &[&dyn ToValue],
        run: impl AsyncFnOnce(&Object, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.failure.is_some() {
            return Err(error::doomed());
        }
        let text: Arc<str> = match sql {
            Sql::Static(text) => self.translations.lock().get(text, Engine::Postgres),
            Sql::Dynamic(text) => sql::for_engine(text, Engine::Postgres).into(),
        };
        let client = self.client;
        let outcome = self.handle.block_on(async {
            let statement = client
                .prepare_cached(&text)
                .await
                .map_err(|source| engine_error(source, "a statement could not be prepared"))?;
            if statement.params().len() != params.len() {
                return Err(Error::new(
                    ErrorKind::Misuse,
                    format!(
                        "a statement has {} parameters but got {}",
                        statement.params().len(),
                        params.len()
                    ),
                ));
            }
            let params: Vec<Param<'_>> =
                params.iter().map(|param| Param(param.to_value())).collect();
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
            run(client, &statement, &params).await
        });
        if let Err(error) = &outcome {
            if error.kind() == ErrorKind::Conflict {
                // Another node may have migrated: statements prepared before have the wrong shape now.
                client.statement_cache.clear();
            }
            self.failure = Some(error.clone());
        }
        outcome
    }
}

/// A parameter, sent as the type that the statement wants.
#[derive(Debug)]
struct Param<'v>(ValueRef<'v>);

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        wanted: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            ValueRef::Null => Ok(IsNull::Yes),
            ValueRef::Integer(integer) if *wanted == Type::INT8 => integer.to_sql(wanted, out),
            ValueRef::Integer(integer) if *wanted == Type::INT4 => {
                i32::try_from(integer)?.to_sql(wanted, out)
            }
            ValueRef::Integer(integer) if *wanted == Type::INT2 => {
                i16::try_from(integer)?.to_sql(wanted, out)
            }
            // No text holds a NUL here. A lookup by one has to find nothing, as on SQLite, not to fail.
            ValueRef::Text(text) if <&str as ToSql>::accepts(wanted) && text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(wanted, out)
            }
            ValueRef::Text(text) if <&str as ToSql>::accepts(wanted) => text.to_sql(wanted, out),
            ValueRef::Blob(bytes) if *wanted == Type::BYTEA => bytes.to_sql(wanted, out),
            ValueRef::Integer(_) => {
                Err(format!("an integer was given where {wanted} is wanted").into())
            }
            ValueRef::Text(_) => Err(format!("a text was given where {wanted} is wanted").into()),
            ValueRef::Blob(_) => Err(format!("bytes were given where {wanted} is wanted").into()),
        }
    }

    fn accepts(wanted: &Type) -> bool {
        matches!(*wanted, Type::INT8 | Type::INT4 | Type::INT2 | Type::BYTEA)
            || <&str as ToSql>::accepts(wanted)
    }

    to_sql_checked!();
}

/// A column of any type that this crate knows.
struct Column(Value);

impl<'a> FromSql<'a> for Column {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(kind, raw)?.into()),
            // SQLite answers a comparison with 0 or 1.
            Type::BOOL => Value::Integer(bool::from_sql(kind, raw)?.into()),
            Type::BYTEA => Value::Blob(raw.to_vec()),
            _ => Value::Text(<&str>::from_sql(kind, raw)?.to_owned()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL | Type::BYTEA)
            || <&str as FromSql>::accepts(kind)
    }
}

fn owned(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let Column(value) = row.try_get(index).map_err(|source| {
            let message = format!(
                "column {index} has the type {}; a sum is cast with CAST(… AS BIGINT), other types are not used",
                column.type_()
            );
            Error::with_source(ErrorKind::Value, message, source)
        })?;
        values.push(value);
    }
    Ok(Row(values))
}

/// What of a server's error may be shown: `detail`, `hint` and `where` can quote stored values.
#[derive(Debug)]
struct Fault {
    code: String,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

impl std::error::Error for Fault {}

fn engine_error(source: tokio_postgres::Error, what: &str) -> Error {
    let Some(refused) = source.as_db_error() else {
        let unavailable = source.is_closed()
            || std::error::Error::source(&source)
                .is_none_or(<dyn std::error::Error>::is::<std::io::Error>);
        let kind = if unavailable { ErrorKind::Unavailable } else { ErrorKind::Value };
        return Error::with_source(kind, format!("{what}: {source}"), source);
    };
    let code = refused.code();
    // Data exceptions (class 22) quote the value: invalid input syntax for type bigint: "…".
    let message = if code.code().starts_with("22") {
        "a value does not fit its type"
    } else {
        refused.message()
    };
    let kind = match code.code() {
        "23505" => ErrorKind::UniqueViolation,
        "40001" | "40P01" => ErrorKind::Conflict,
        "0A000" if message.contains("cached plan") => ErrorKind::Conflict,
        "25006" => return error::write_in_read(),
        "53300" | "57P01" | "57P02" | "57P03" | "25P03" => ErrorKind::Unavailable,
        "55P03" | "57014" => ErrorKind::Busy,
        code if code.starts_with("23") => ErrorKind::ConstraintViolation,
        code if code.starts_with("08") => ErrorKind::Unavailable,
        code if code.starts_with("22") => ErrorKind::Value,
        _ => ErrorKind::Engine,
    };
    let fault = Fault { code: code.code().to_owned(), message: message.to_owned() };
    Error::with_source(kind, format!("{what}: {fault}"), fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_size_is_taken_out_of_the_url() {
        let check = |url: &str, base: &str, size: Option<&str>| {
            assert_eq!(take_pool_size(url), (base.to_owned(), size));
        };
        check("postgres://a@b/c", "postgres://a@b/c", None);
        check("postgres://a@b/c?pool_size=4", "postgres://a@b/c", Some("4"));
        check(
            "postgres://a@b/c?options=x&pool_size=4&k=v",
            "postgres://a@b/c?options=x&k=v",
            Some("4"),
        );
    }

    #[test]
    fn an_unusable_url_is_not_repeated() {
        for url in ["postgres://u:hunter2@h:notaport/d", "postgres://u:hunter2@h/d?pool_size=none"]
        {
            let error = pool(url).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Misuse);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn the_wait_between_attempts_grows_to_a_limit() {
        for attempt in 1..40 {
            assert!(backoff(attempt) <= Duration::from_millis(BACKOFF_MOST_MS));
            assert!(backoff(attempt) >= Duration::from_millis(BACKOFF_FIRST_MS));
        }
    }
}
