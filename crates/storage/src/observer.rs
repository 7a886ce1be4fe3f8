//! Telling whoever measures how long commits take. What is done with the numbers is not this crate's business.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Hears of each commit that made writes durable.
pub trait Observer: Send + Sync {
    /// `units` units of work were committed together, and the commit itself took so long. Called between commits on the
    /// thread that makes them: whatever it does delays the next one.
    fn committed(&self, units: usize, took: Duration);
}

/// The observer of one database, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Observed(Arc<OnceLock<Arc<dyn Observer>>>);

impl Observed {
    /// The first observer stays.
    pub(crate) fn set(&self, observer: Arc<dyn Observer>) {
        let _ = self.0.set(observer);
    }

    pub(crate) fn committed(&self, units: usize, took: Duration) {
        if let Some(observer) = self.0.get() {
            observer.committed(units, took);
        }
    }
}
