//! Wakes whoever watches a checkout, a payment or a whole store when something happened there, on
//! whichever node it was recorded.
//!
//! A hint only: who watches reads the events themselves after each wake, and now and then without one.
//! One look at the table serves all watchers of a store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use service::Shutdown;
use tokio::sync::Notify;

use super::Engine;
use crate::fault::Fault;
use crate::store::events;

/// So many watch at once at one node.
const MOST: usize = 2_000;
/// And so many of them one subject.
const MOST_OF_ONE: usize = 50;
/// How often the table is looked at while someone watches.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How far back: units of work end later than they begin, and clocks differ by seconds.
const BACK_MS: i64 = 5_000;
/// So many events of that time are looked at; watchers of others find theirs by themselves.
const LOOK_AT: i64 = 200;

/// Whom a watcher waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Watched {
    /// The store.
    pub store_id: String,
    /// One checkout or payment of it; all of the store if it is left out.
    pub subject_id: Option<String>,
}

/// The watchers of one process. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    watchers: Mutex<HashMap<Watched, Watchers>>,
    shutdown: Shutdown,
}

#[derive(Debug, Default)]
struct Watchers {
    wake: Arc<Notify>,
    count: usize,
}

/// A place among the watchers. Dropping it leaves.
#[derive(Debug)]
pub struct Seat {
    feed: Feed,
    watched: Watched,
    /// Fires when there may be something to read.
    pub wake: Arc<Notify>,
}

impl Feed {
    /// Watchers that are sent away once `shutdown` is asked for.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { watchers: Mutex::default(), shutdown }))
    }

    /// When watchers are sent away.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Takes a seat; `None` when there is none left.
    pub fn watch(&self, watched: Watched) -> Option<Seat> {
        let mut watchers = self.0.watchers.lock();
        let all: usize = watchers.values().map(|watchers| watchers.count).sum();
        if all >= MOST {
            return None;
        }
        let of_one = watchers.entry(watched.clone()).or_default();
        if of_one.count >= MOST_OF_ONE {
            return None;
        }
        of_one.count += 1;
        Some(Seat { feed: self.clone(), watched, wake: Arc::clone(&of_one.wake) })
    }

    /// How many watch.
    pub fn watching(&self) -> usize {
        self.0.watchers.lock().values().map(|watchers| watchers.count).sum()
    }

    /// Looks for news until the shutdown.
    pub async fn run(self, engine: Engine) {
        let stop = self.0.shutdown.requested();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = engine.news().notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut stop => return,
            }
            if let Err(error) = self.look(&engine).await {
                tracing::error!(%error, "events could not be looked at");
            }
        }
    }

    async fn look(&self, engine: &Engine) -> Result<(), Fault> {
        let mut stores: Vec<String> =
            self.0.watchers.lock().keys().map(|watched| watched.store_id.clone()).collect();
        stores.sort();
        stores.dedup();
        let since_ms = engine.now_ms() - BACK_MS;
        for store_id in stores {
            let wanted = store_id.clone();
            let found = engine
                .database()
                .read(move |tx| events::subjects_since(tx, &wanted, since_ms, LOOK_AT))
                .await?;
            if found.is_empty() {
                continue;
            }
            let watchers = self.0.watchers.lock();
            let subjects = found.into_iter().map(|(subject_id, _)| Some(subject_id));
            for subject_id in subjects.chain([None]) {
                let watched = Watched { store_id: store_id.clone(), subject_id };
                if let Some(watchers) = watchers.get(&watched) {
                    watchers.wake.notify_waiters();
                }
            }
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watchers = self.feed.0.watchers.lock();
        if let Some(of_one) = watchers.get_mut(&self.watched) {
            of_one.count -= 1;
            if of_one.count == 0 {
                watchers.remove(&self.watched);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(subject_id: &str) -> Watched {
        Watched { store_id: "default".to_owned(), subject_id: Some(subject_id.to_owned()) }
    }

    #[test]
    fn seats_are_counted_and_given_back() {
        let feed = Feed::new(Shutdown::new());
        let seats: Vec<_> =
            (0..MOST_OF_ONE).map(|_| feed.watch(watched("pay_1")).unwrap()).collect();
        assert!(feed.watch(watched("pay_1")).is_none());
        assert!(feed.watch(watched("pay_2")).is_some());
        drop(seats);
        assert!(feed.0.watchers.lock().is_empty());
    }
}
