//! The counters and histograms of one gateway, in a registry of its own.
//!
//! What happens is counted where it happens, without a lock that anybody could wait for. What is rather looked up than
//! counted, such as the depth of a queue, is read when it is asked for: see `gauges`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};
use storage::Observer;

use super::gauges::Gauges;
use crate::domain::operation::Kind;

/// One label.
pub(super) type One = [(&'static str, Cow<'static, str>); 1];
/// Two labels.
pub(super) type Two = [(&'static str, Cow<'static, str>); 2];
type Three = [(&'static str, Cow<'static, str>); 3];
type Timed<L> = Family<L, Histogram, fn() -> Histogram>;

/// What calls over a network take.
fn calls() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0,
    ])
}

/// What writing to a disk takes.
fn commits() -> Histogram {
    Histogram::new([
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
    ])
}

/// How many share a commit.
fn groups() -> Histogram {
    Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0])
}

/// What came of asking Klarna, for [`Metrics::klarna_call`].
pub const CALL_OUTCOMES: [&str; 9] = [
    "answered",
    "refused",
    "limited",
    "failed",
    "unreachable",
    "timed_out",
    "interrupted",
    "unreadable",
    "held_back",
];

/// What a turn at an operation comes to, for [`Metrics::operation`].
pub const TURN_OUTCOMES: [&str; 6] =
    ["done", "refused", "needs_attention", "postponed", "put_off", "in_doubt"];

/// What an attempt at a webhook comes to, for [`Metrics::webhook`].
pub const WEBHOOK_OUTCOMES: [&str; 6] =
    ["delivered", "refused", "failed", "unreachable", "timed_out", "interrupted"];

/// What becomes of a purchase, for [`Metrics::purchase`].
pub const PURCHASE_RESULTS: [&str; 4] = ["approved", "declined", "refused", "unclear"];

/// What becomes of a checkout, for [`Metrics::checkout`].
pub const CHECKOUT_RESULTS: [&str; 4] = ["opened", "completed", "expired", "cancelled"];

/// What comes of signing in, for [`Metrics::sign_in`].
pub const SIGN_IN_RESULTS: [&str; 4] = ["signed_in", "wrong_password", "wrong_code", "too_many"];

/// What one gateway counts. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    gauges: Gauges,
    http_requests: Family<Three, Counter>,
    http_durations: Timed<Two>,
    http_in_flight: Gauge,
    klarna_calls: Family<Two, Counter>,
    klarna_durations: Timed<One>,
    klarna_retries: Family<One, Counter>,
    turns: Family<Two, Counter>,
    purchases: Family<One, Counter>,
    checkouts: Family<One, Counter>,
    webhooks: Family<One, Counter>,
    webhook_durations: Histogram,
    dead_letters: Counter,
    sign_ins: Family<One, Counter>,
    commit_durations: Histogram,
    commit_units: Histogram,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new("unknown")
    }
}

fn counted(names: &'static str, values: &[&'static str]) -> Family<One, Counter> {
    let family = Family::default();
    // Series that are there from the start: whoever looks at their growth sees the first time, too.
    for value in values {
        drop(family.get_or_create(&[(names, Cow::Borrowed(*value))]));
    }
    family
}

impl Metrics {
    /// Nothing counted yet, in a gateway on this engine of storage.
    pub fn new(engine: &'static str) -> Self {
        let mut root = Registry::default();
        let gauges = Gauges::register(&mut root, engine);
        let registry = root.sub_registry_with_prefix("kassa_gateway");
        let turns: Family<Two, Counter> = Family::default();
        for kind in Kind::ALL {
            for outcome in TURN_OUTCOMES {
                drop(
                    turns.get_or_create(&[
                        ("kind", kind.name().into()),
                        ("outcome", outcome.into()),
                    ]),
                );
            }
        }
        let klarna_calls = klarna_calls();
        let http_requests = add(
            registry,
            "http_requests",
            "Requests answered, by route template, method and status",
            Family::default(),
        );
        let http_durations = timed(
            registry,
            "http_request_duration",
            "Time until the head of the answer, by route template and method",
            Timed::new_with_constructor(calls),
        );
        let http_in_flight = add(
            registry,
            "http_requests_in_flight",
            "Requests that wait for their answer",
            Gauge::default(),
        );
        let klarna_calls = add(
            registry,
            "klarna_calls",
            "Calls of Klarna, by operation and what came of them",
            klarna_calls,
        );
        let klarna_durations = timed(
            registry,
            "klarna_call_duration",
            "Time that calls of Klarna took, their repeats included",
            Timed::new_with_constructor(calls),
        );
        let klarna_retries = add(
            registry,
            "klarna_retries",
            "Calls of Klarna that were repeated, by operation",
            counted("operation", &["create_session", "read_order"]),
        );
        let turns = add(
            registry,
            "operation_turns",
            "Turns at operations of the journal, by kind and what came of them",
            turns,
        );
        let purchases = add(
            registry,
            "purchases",
            "Order placements that ended, by what became of them",
            counted("result", &PURCHASE_RESULTS),
        );
        let checkouts = add(
            registry,
            "checkouts",
            "Checkouts by what happened to them",
            counted("result", &CHECKOUT_RESULTS),
        );
        let webhooks = add(
            registry,
            "webhook_attempts",
            "Attempts at delivering webhooks, by what came of them",
            counted("outcome", &WEBHOOK_OUTCOMES),
        );
        let webhook_durations = timed(
            registry,
            "webhook_attempt_duration",
            "Time that attempts at delivering webhooks took",
            calls(),
        );
        let dead_letters = add(
            registry,
            "webhook_dead_letters",
            "Webhook deliveries that were given up",
            Counter::default(),
        );
        let sign_ins = add(
            registry,
            "sign_ins",
            "Attempts at signing in to the dashboard, by what came of them",
            counted("result", &SIGN_IN_RESULTS),
        );
        let commit_durations = timed(
            registry,
            "db_commit_duration",
            "Time that commits took: on SQLite the flush that a group of units shares",
            commits(),
        );
        let commit_units = add(
            registry,
            "db_commit_units",
            "Units of work that were committed together",
            groups(),
        );
        Self(Arc::new(Inner {
            registry: root,
            gauges,
            http_requests,
            http_durations,
            http_in_flight,
            klarna_calls,
            klarna_durations,
            klarna_retries,
            turns,
            purchases,
            checkouts,
            webhooks,
            webhook_durations,
            dead_letters,
            sign_ins,
            commit_durations,
            commit_units,
        }))
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(super) fn gauges(&self) -> &Gauges {
        &self.0.gauges
    }

    /// Keeps when the process started, in unix milliseconds.
    pub(crate) fn started_at(&self, at_ms: i64) {
        self.0.gauges.started_at(at_ms);
    }

    pub(super) fn in_flight(&self) -> &Gauge {
        &self.0.http_in_flight
    }

    /// A request was answered.
    pub(super) fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route: Cow<'static, str> = Cow::Owned(route.to_owned());
        let labels = [
            ("method", method.into()),
            ("route", route.clone()),
            ("status", status.to_string().into()),
        ];
        self.0.http_requests.get_or_create(&labels).inc();
        let labels = [("method", method.into()), ("route", route)];
        self.0.http_durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Klarna was asked: one of [`CALL_OUTCOMES`], after so many tries.
    pub fn klarna_call(
        &self,
        operation: &'static str,
        outcome: &'static str,
        took: Duration,
        tries: u32,
    ) {
        let of = [("operation", operation.into())];
        self.0
            .klarna_calls
            .get_or_create(&[("operation", operation.into()), ("outcome", outcome.into())])
            .inc();
        self.0.klarna_durations.get_or_create(&of).observe(took.as_secs_f64());
        if tries > 1 {
            self.0.klarna_retries.get_or_create(&of).inc_by(u64::from(tries - 1));
        }
    }

    /// A turn at an operation was recorded: one of [`TURN_OUTCOMES`].
    pub fn operation(&self, kind: Kind, outcome: &'static str) {
        self.0
            .turns
            .get_or_create(&[("kind", kind.name().into()), ("outcome", outcome.into())])
            .inc();
    }

    /// The placing of an order ended: one of [`PURCHASE_RESULTS`].
    pub fn purchase(&self, result: &'static str) {
        self.0.purchases.get_or_create(&[("result", result.into())]).inc();
    }

    /// Something happened to a checkout: one of [`CHECKOUT_RESULTS`].
    pub fn checkout(&self, result: &'static str) {
        self.0.checkouts.get_or_create(&[("result", result.into())]).inc();
    }

    /// A webhook was sent: one of [`WEBHOOK_OUTCOMES`].
    pub fn webhook(&self, outcome: &'static str, took: Duration) {
        self.0.webhooks.get_or_create(&[("outcome", outcome.into())]).inc();
        self.0.webhook_durations.observe(took.as_secs_f64());
    }

    /// A delivery was given up.
    pub fn dead_letter(&self) {
        self.0.dead_letters.inc();
    }

    /// Somebody signed in, or did not: one of [`SIGN_IN_RESULTS`].
    pub fn sign_in(&self, result: &'static str) {
        self.0.sign_ins.get_or_create(&[("result", result.into())]).inc();
    }
}

impl Observer for Metrics {
    fn committed(&self, units: usize, took: Duration) {
        self.0.commit_durations.observe(took.as_secs_f64());
        self.0.commit_units.observe(f64::from(u32::try_from(units).unwrap_or(u32::MAX)));
    }
}

/// The calls that somebody always makes, so that their series are there from the start.
fn klarna_calls() -> Family<Two, Counter> {
    let family: Family<Two, Counter> = Family::default();
    for operation in ["create_session", "place_order", "read_order", "capture", "refund"] {
        for outcome in CALL_OUTCOMES {
            drop(
                family
                    .get_or_create(&[("operation", operation.into()), ("outcome", outcome.into())]),
            );
        }
    }
    family
}

/// Registers a metric, and gives it back.
pub(super) fn add<M: Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    metric: M,
) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// The same for what is counted in seconds.
pub(super) fn timed<M: Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    metric: M,
) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}
