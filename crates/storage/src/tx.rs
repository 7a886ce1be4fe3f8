//! The transaction as a unit of work sees it, the same for both engines.

use crate::Engine;
use crate::error::{Error, ErrorKind};
use crate::postgres::PostgresTx;
use crate::sqlite::SqliteTx;
use crate::value::{Row, ToValue};

/// What a unit of work is allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The statements of one unit of work. See the rules on the crate's front page.
pub struct Tx<'a>(pub(crate) Inner<'a>);

pub(crate) enum Inner<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(PostgresTx<'a>),
}

/// How SQL reaches an engine: `'static` text is translated once, other text each time.
#[derive(Clone, Copy)]
pub(crate) enum Sql<'s> {
    Static(&'static str),
    Dynamic(&'s str),
}

impl Tx<'_> {
    /// Runs a statement; answers how many rows it changed.
    pub fn execute(&mut self, sql: &'static str, params: &[&dyn ToValue]) -> Result<u64, Error> {
        self.run(Sql::Static(sql), params)
    }

    /// Runs a statement and collects its rows.
    pub fn query(&mut self, sql: &'static str, params: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        self.rows(Sql::Static(sql), params)
    }

    /// Runs a statement that has at most one row.
    pub fn query_opt(
        &mut self,
        sql: &'static str,
        params: &[&dyn ToValue],
    ) -> Result<Option<Row>, Error> {
        let mut rows = self.query(sql, params)?;
        let row = rows.pop();
        if rows.is_empty() {
            Ok(row)
        } else {
            Err(Error::new(ErrorKind::Misuse, "a query for one row found several"))
        }
    }

    /// Runs a statement that has exactly one row.
    pub fn query_one(&mut self, sql: &'static str, params: &[&dyn ToValue]) -> Result<Row, Error> {
        self.query_opt(sql, params)?
            .ok_or_else(|| Error::new(ErrorKind::NoRow, "a query for one row found none"))
    }

    /// [`execute`](Self::execute) for SQL that is put together at run time.
    ///
    /// Put together from fixed pieces only: values are parameters, never text.
    pub fn execute_dynamic(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<u64, Error> {
        self.run(Sql::Dynamic(sql), params)
    }

    /// [`query`](Self::query) for SQL that is put together at run time, such as a list with optional filters.
    ///
    /// Put together from fixed pieces only: values are parameters, never text.
    pub fn query_dynamic(&mut self, sql: &str, params: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        self.rows(Sql::Dynamic(sql), params)
    }

    /// Which engine runs this unit.
    pub fn engine(&self) -> Engine {
        match &self.0 {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    fn run(&mut self, sql: Sql<'_>, params: &[&dyn ToValue]) -> Result<u64, Error> {
        match &mut self.0 {
            Inner::Sqlite(tx) => tx.execute(sql, params),
            Inner::Postgres(tx) => tx.execute(sql, params),
        }
    }

    fn rows(&mut self, sql: Sql<'_>, params: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        match &mut self.0 {
            Inner::Sqlite(tx) => tx.query(sql, params),
            Inner::Postgres(tx) => tx.query(sql, params),
        }
    }
}
