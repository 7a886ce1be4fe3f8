//! PostgreSQL.
use crate::error::{Error, ErrorKind};
use crate::migrate::Migration;
use crate::tx::{Sql, Tx};
use crate::value::{Row, ToValue};
use std::marker::PhantomData;

#[derive(Clone, Copy)]
pub(crate) enum Isolation {
    Serializable,
    RowLocked,
    Snapshot,
}
pub(crate) struct Postgres;
pub(crate) struct PostgresTx<'a>(PhantomData<&'a ()>);
impl PostgresTx<'_> {
    pub(crate) fn execute(&mut self, _: Sql<'_>, _: &[&dyn ToValue]) -> Result<u64, Error> {
        Err(missing())
    }
    pub(crate) fn query(&mut self, _: Sql<'_>, _: &[&dyn ToValue]) -> Result<Vec<Row>, Error> {
        Err(missing())
    }
}
fn missing() -> Error {
    Error::new(ErrorKind::Unavailable, "PostgreSQL is not supported yet")
}
impl Postgres {
    pub(crate) async fn open(_: &str, _: &[Migration]) -> Result<Self, Error> {
        Err(missing())
    }
    pub(crate) async fn run<T, E: From<Error>, F: Fn(&mut Tx<'_>) -> Result<T, E>>(
        &self,
        _: Isolation,
        _: F,
    ) -> Result<T, E> {
        Err(missing().into())
    }
    pub(crate) fn close(&self) {}
}
