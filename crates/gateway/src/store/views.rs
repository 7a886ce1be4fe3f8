//! Views of the list of payments that people keep: filters and an order under a name, for themselves
//! or, by an admin, for everybody of the store.

use storage::{Migration, Row, Tx};

use super::{read_document, write_document};
use crate::domain::search::Written;
use crate::fault::Fault;

/// The table. What is everybody's has an empty owner.
pub const MIGRATION: Migration = Migration {
    version: 81,
    name: "saved views",
    sql: "
CREATE TABLE saved_views (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (store_id, owner_id, name)
);
",
};

/// So many somebody may keep, and so many there are for everybody.
pub const MOST: i64 = 50;

/// Whose a view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// One user's.
    User(String),
    /// Everybody's of the store.
    Everybody,
}

impl Owner {
    fn id(&self) -> &str {
        match self {
            Self::User(id) => id,
            Self::Everybody => "",
        }
    }
}

/// A view that somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// What they call it.
    pub name: String,
    /// What it shows.
    pub written: Written,
}

/// What came of keeping a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    Yes,
    /// There is one of that name.
    NameTaken,
    /// There are as many as there may be.
    TooMany,
    /// There is none of that id.
    Unknown,
}

fn from_row(row: &Row) -> Result<View, Fault> {
    let owner: String = row.get(1)?;
    Ok(View {
        id: row.get(0)?,
        owner: if owner.is_empty() { Owner::Everybody } else { Owner::User(owner) },
        name: row.get(2)?,
        written: read_document("saved view", row.get(3)?)?,
    })
}

/// What somebody sees: everybody's views, then their own, by name.
pub fn seen_by(tx: &mut Tx<'_>, store_id: &str, user_id: &str) -> Result<Vec<View>, Fault> {
    tx.query(
        "SELECT id, owner_id, name, document FROM saved_views
         WHERE store_id = $1 AND owner_id IN ('', $2) ORDER BY owner_id, name",
        &[&store_id, &user_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Keeps a view under a fresh id.
pub fn insert(tx: &mut Tx<'_>, store_id: &str, view: &View, now_ms: i64) -> Result<Kept, Fault> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM saved_views WHERE store_id = $1 AND owner_id = $2",
        &[&store_id, &view.owner.id()],
    )?;
    if row.get::<i64>(0)? >= MOST {
        return Ok(Kept::TooMany);
    }
    let document = write_document("saved view", &view.written)?;
    let added = tx.execute(
        "INSERT INTO saved_views (id, store_id, owner_id, name, document, created_at_ms,
                                  updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (store_id, owner_id, name) DO NOTHING",
        &[&view.id, &store_id, &view.owner.id(), &view.name, &document, &now_ms],
    )?;
    Ok(if added == 1 { Kept::Yes } else { Kept::NameTaken })
}

/// Gives a view another name.
pub fn rename(
    tx: &mut Tx<'_>,
    store_id: &str,
    owner: &Owner,
    id: &str,
    name: &str,
    now_ms: i64,
) -> Result<Kept, Fault> {
    let taken = tx.query_opt(
        "SELECT id FROM saved_views
         WHERE store_id = $1 AND owner_id = $2 AND name = $3 AND id <> $4",
        &[&store_id, &owner.id(), &name, &id],
    )?;
    if taken.is_some() {
        return Ok(Kept::NameTaken);
    }
    let changed = tx.execute(
        "UPDATE saved_views SET name = $4, updated_at_ms = $5
         WHERE id = $1 AND store_id = $2 AND owner_id = $3",
        &[&id, &store_id, &owner.id(), &name, &now_ms],
    )?;
    Ok(if changed == 1 { Kept::Yes } else { Kept::Unknown })
}

/// Has a view show something else.
pub fn change(
    tx: &mut Tx<'_>,
    store_id: &str,
    owner: &Owner,
    id: &str,
    written: &Written,
    now_ms: i64,
) -> Result<Kept, Fault> {
    let document = write_document("saved view", written)?;
    let changed = tx.execute(
        "UPDATE saved_views SET document = $4, updated_at_ms = $5
         WHERE id = $1 AND store_id = $2 AND owner_id = $3",
        &[&id, &store_id, &owner.id(), &document, &now_ms],
    )?;
    Ok(if changed == 1 { Kept::Yes } else { Kept::Unknown })
}

/// Forgets a view.
pub fn delete(tx: &mut Tx<'_>, store_id: &str, owner: &Owner, id: &str) -> Result<Kept, Fault> {
    let gone = tx.execute(
        "DELETE FROM saved_views WHERE id = $1 AND store_id = $2 AND owner_id = $3",
        &[&id, &store_id, &owner.id()],
    )?;
    Ok(if gone == 1 { Kept::Yes } else { Kept::Unknown })
}
