//! The playground's log, followed from a place in it: every entry once, in its order.

use std::time::Duration;

use serde_json::Value;

use crate::tool::control::{Control, Unanswered};
use crate::tool::failure::Failure;

/// How many entries are asked for at a time.
const STRETCH: usize = 500;

/// How long to wait when there was nothing new.
const PAUSE: Duration = Duration::from_millis(200);

/// A place in the log, and what is wanted of it.
#[derive(Debug)]
pub(crate) struct Follower {
    control: Control,
    filter: Vec<(&'static str, String)>,
    cursor: String,
}

/// What comes next in the log.
#[derive(Debug)]
pub(crate) struct Stretch {
    /// Oldest first.
    pub(crate) entries: Vec<Value>,
    /// How many are lost, because the log went on without us.
    pub(crate) missed: u64,
}

impl Follower {
    /// From the end of the log, and the latest `count` entries before it, oldest first.
    pub(crate) async fn from_the_end(
        control: Control,
        filter: Vec<(&'static str, String)>,
        count: usize,
    ) -> Result<(Self, Vec<Value>), Failure> {
        let mut query = filter.clone();
        query.push(("limit", count.to_string()));
        let log = control.get("/requests", &query).await?;
        let mut entries = entries(&log);
        entries.reverse();
        let cursor = cursor(&log)?;
        Ok((Self { control, filter, cursor }, entries))
    }

    /// What has come since, which may be nothing. `None` while the playground is away.
    pub(crate) async fn next(&mut self) -> Result<Option<Stretch>, Failure> {
        let mut found = Stretch { entries: Vec::new(), missed: 0 };
        loop {
            let mut query = self.filter.clone();
            query.push(("limit", STRETCH.to_string()));
            query.push(("since", self.cursor.clone()));
            let log = match self.control.get("/requests", &query).await {
                Ok(log) => log,
                Err(Unanswered::Gone(_)) => return Ok(None),
                Err(Unanswered::Refused(failure)) => return Err(failure),
            };
            let mut entries = entries(&log);
            entries.reverse();
            found.entries.append(&mut entries);
            found.missed += log.get("missed").and_then(Value::as_u64).unwrap_or_default();
            self.cursor = cursor(&log)?;
            if log.get("more") != Some(&Value::Bool(true)) {
                return Ok(Some(found));
            }
            // Told as they come, so that a long log is not kept in memory.
            if found.entries.len() >= STRETCH {
                return Ok(Some(found));
            }
        }
    }

    /// Waits a moment, for whoever found nothing new.
    pub(crate) async fn pause() {
        tokio::time::sleep(PAUSE).await;
    }
}

fn entries(log: &Value) -> Vec<Value> {
    log.get("requests").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn cursor(log: &Value) -> Result<String, Failure> {
    log.get("cursor").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
        Failure::failed("the log cannot be followed: it has no cursor")
            .remedy("start a playground of the same version as this program")
    })
}

/// A member as text; empty when it is not there.
pub(crate) fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
