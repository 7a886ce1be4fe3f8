//! What lists have in common: how many, from where on, and where the next page begins.

use super::payments::list::{cursor_of, read_cursor};
use super::problem::Problem;

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// Which page is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many rows.
    pub limit: i64,
    /// Only what comes after this: a time and an id.
    pub before: Option<(i64, String)>,
}

impl Wanted {
    /// From a query's `limit` and `cursor`.
    pub fn of(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            let detail = format!("limit: {limit} is not between 1 and {LARGEST_LIMIT}.");
            return Err(Problem::invalid("limit", detail));
        }
        let before = cursor
            .map(|cursor| {
                read_cursor(cursor).ok_or_else(|| {
                    Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
                })
            })
            .transpose()?;
        Ok(Self { limit, before })
    }

    /// How many rows to read: one more, to see whether there is a next page.
    pub fn to_read(&self) -> i64 {
        self.limit + 1
    }

    /// The page, of what was read, and the cursor of the next one.
    pub fn cut<T>(
        &self,
        mut found: Vec<T>,
        place: impl Fn(&T) -> (i64, &str),
    ) -> (Vec<T>, Option<String>) {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| more).map(|last| {
            let (at_ms, id) = place(last);
            cursor_of(at_ms, id)
        });
        (found, next)
    }
}
