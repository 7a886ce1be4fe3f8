//! Wakes whoever waits for an operation in this process.
//!
//! A hint only: who waits reads the journal after each wake, and now and then without one, because
//! another node may have settled the operation.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The waiters of one process, by operation.
#[derive(Debug, Default)]
pub struct Hub(Mutex<HashMap<String, Waiters>>);

#[derive(Debug, Default)]
struct Waiters {
    wake: Arc<Notify>,
    count: usize,
}

/// A place among the waiters of one operation. Dropping it leaves.
#[derive(Debug)]
pub struct Seat<'a> {
    hub: &'a Hub,
    id: String,
    /// Fires when the operation was settled here.
    pub wake: Arc<Notify>,
}

impl Hub {
    /// Begins to wait. Read the journal after this, not before.
    pub fn wait_for(&self, id: &str) -> Seat<'_> {
        let mut waiting = self.0.lock();
        let waiters = waiting.entry(id.to_owned()).or_default();
        waiters.count += 1;
        Seat { hub: self, id: id.to_owned(), wake: Arc::clone(&waiters.wake) }
    }

    /// Says that an operation moved.
    pub fn moved(&self, id: &str) {
        if let Some(waiters) = self.0.lock().get(id) {
            waiters.wake.notify_waiters();
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut waiting = self.hub.0.lock();
        if let Some(waiters) = waiting.get_mut(&self.id) {
            waiters.count -= 1;
            if waiters.count == 0 {
                waiting.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waiting_leaves_nothing_behind() {
        let hub = Hub::default();
        let one = hub.wait_for("op_1");
        let two = hub.wait_for("op_1");
        hub.moved("op_1");
        drop((one, two));
        hub.moved("op_1");
        assert!(hub.0.lock().is_empty());
    }
}
