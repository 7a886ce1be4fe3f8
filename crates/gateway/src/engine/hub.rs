//! Wakes whoever waits for an operation in this process.
//!
//! Who waits is told what an operation came to if it was settled here. Otherwise a wake is a hint: who waits reads the
//! journal after it, and now and then without one, because another node may have settled the operation.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::journal::Operation;

/// The waiters of one process, by operation.
#[derive(Debug, Default, Clone)]
pub struct Hub(Arc<Mutex<HashMap<String, Waiters>>>);

#[derive(Debug, Default)]
struct Waiters {
    wake: Arc<Notify>,
    count: usize,
    settled: Option<Operation>,
}

/// A place among the waiters of one operation. Dropping it leaves.
#[derive(Debug)]
pub struct Seat {
    hub: Hub,
    id: String,
    /// Fires when the operation moved here.
    pub wake: Arc<Notify>,
}

impl Hub {
    /// Begins to wait. Read the journal after this, not before.
    pub fn wait_for(&self, id: &str) -> Seat {
        let mut waiting = self.0.lock();
        let waiters = waiting.entry(id.to_owned()).or_default();
        waiters.count += 1;
        Seat { hub: self.clone(), id: id.to_owned(), wake: Arc::clone(&waiters.wake) }
    }

    /// Says that an operation moved.
    pub fn moved(&self, id: &str) {
        if let Some(waiters) = self.0.lock().get(id) {
            waiters.wake.notify_waiters();
        }
    }

    /// Says what an operation came to.
    pub fn settled(&self, operation: Operation) {
        if let Some(waiters) = self.0.lock().get_mut(&operation.id) {
            waiters.wake.notify_waiters();
            waiters.settled = Some(operation);
        }
    }
}

impl Seat {
    /// The operation that is waited for.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the operation came to, if it was settled here since somebody began to wait for it.
    pub fn settled(&self) -> Option<Operation> {
        self.hub.0.lock().get(&self.id).and_then(|waiters| waiters.settled.clone())
    }
}

impl Drop for Seat {
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
