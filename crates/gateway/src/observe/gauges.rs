//! What is looked up when somebody asks for the metrics: queues, operations, webhooks, accounts, nodes, the process.
//!
//! The look is one read of the database, of indexed rows and of counts that stop somewhere, so that it costs the same
//! whatever is stored. A gateway whose database does not answer says so (`kassa_gateway_db_up` is 0) and tells the rest.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use storage::Tx;
use storage::queue::Queue;

use super::metrics::{One, Two, add, timed};
use super::process;
use crate::app::App;
use crate::domain::circuit::Phase;
use crate::domain::operation::State;
use crate::fault::Fault;
use crate::store::nodes::Account;
use crate::store::operations::{BACKGROUND, INTERACTIVE};
use crate::store::webhooks::{self, LANES};
use crate::store::{nodes, operations};

/// Counts stop here: beyond it, more is as bad.
const COUNT_TO: i64 = 100_000;
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

type Seconds = Gauge<f64, AtomicU64>;

/// What is looked up.
pub(super) struct Gauges {
    ready: Gauge,
    db_up: Gauge,
    nodes: Gauge,
    streams: Gauge,
    queue_due: Family<One, Gauge>,
    queue_age: Family<One, Seconds>,
    operations: Family<One, Gauge>,
    operations_age: Family<One, Seconds>,
    webhooks: Family<One, Gauge>,
    webhooks_age: Seconds,
    endpoints_disabled: Gauge,
    circuit: Family<Two, Gauge>,
    klarna_in_flight: Family<One, Gauge>,
    klarna_limited: Family<One, Gauge>,
    klarna_put_off: Family<One, Counter>,
    resident: Gauge,
    virtual_memory: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
    threads: Gauge,
    cpu: Counter<f64, AtomicU64>,
    started: Seconds,
}

const QUEUES: [(&str, Queue); 3] =
    [("interactive", INTERACTIVE), ("background", BACKGROUND), ("webhooks", LANES)];
const STATES: [State; 4] = [State::Queued, State::Running, State::InDoubt, State::NeedsAttention];
const PHASES: [Phase; 4] = [Phase::Closed, Phase::Open, Phase::HalfOpen, Phase::Recovering];

/// What one read of the database tells.
#[derive(Debug, Default)]
struct Look {
    /// Queue, how much is due, since when.
    queues: Vec<(&'static str, i64, Option<i64>)>,
    /// State, how many, since when.
    operations: Vec<(State, i64, Option<i64>)>,
    backlog: webhooks::Backlog,
    endpoints_disabled: i64,
    nodes: i64,
}

impl Gauges {
    pub(super) fn register(root: &mut Registry, engine: &'static str) -> Self {
        let process = root.sub_registry_with_prefix("process");
        let resident = bytes(process, "resident_memory", "Memory that this process holds");
        let virtual_memory =
            bytes(process, "virtual_memory", "Addresses that this process has mapped");
        let open_fds = add(process, "open_fds", "File descriptors that are open", Gauge::default());
        let max_fds =
            add(process, "max_fds", "File descriptors that may be open", Gauge::default());
        let threads = add(process, "threads", "Threads of this process", Gauge::default());
        let cpu = timed(process, "cpu", "Processor time that was used", Counter::default());
        let started = timed(
            process,
            "start_time",
            "When this process started, since the Unix epoch",
            Seconds::default(),
        );
        let registry = root.sub_registry_with_prefix("kassa_gateway");
        registry.register(
            "build",
            "The program that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("engine", engine)]),
        );
        Self {
            ready: add(registry, "ready", "Whether this node takes traffic", Gauge::default()),
            db_up: add(
                registry,
                "db_up",
                "Whether the database answered just now",
                Gauge::default(),
            ),
            nodes: add(registry, "nodes", "Nodes that share the database", Gauge::default()),
            streams: add(
                registry,
                "event_streams",
                "Browsers and programs that watch events",
                Gauge::default(),
            ),
            queue_due: add(
                registry,
                "queue_due",
                "Items of a queue that could be worked on now",
                Family::default(),
            ),
            queue_age: timed(
                registry,
                "queue_oldest_due",
                "For how long the longest due item of a queue has been due",
                Family::default(),
            ),
            operations: add(
                registry,
                "operations",
                "Operations of the journal that are not settled, by state",
                Family::default(),
            ),
            operations_age: timed(
                registry,
                "operations_oldest",
                "For how long the oldest unsettled operation has been there, by state",
                Family::default(),
            ),
            webhooks: add(
                registry,
                "webhook_deliveries",
                "Deliveries of webhooks that are on their way or were given up",
                Family::default(),
            ),
            webhooks_age: timed(
                registry,
                "webhook_backlog",
                "For how long the oldest delivery has been on its way",
                Seconds::default(),
            ),
            endpoints_disabled: add(
                registry,
                "webhook_endpoints_need_attention",
                "Webhook endpoints that were switched off because they failed",
                Gauge::default(),
            ),
            circuit: add(
                registry,
                "klarna_circuit",
                "Whether Klarna is asked: 1 for the state that the account's circuit is in",
                Family::default(),
            ),
            klarna_in_flight: add(
                registry,
                "klarna_calls_in_flight",
                "Calls of Klarna under way, by account",
                Family::default(),
            ),
            klarna_limited: add(
                registry,
                "klarna_rate_limited",
                "Whether Klarna's rate limit keeps calls back just now, by account",
                Family::default(),
            ),
            klarna_put_off: add(
                registry,
                "klarna_put_off",
                "How often something was put off because Klarna was not to be asked",
                Family::default(),
            ),
            resident,
            virtual_memory,
            open_fds,
            max_fds,
            threads,
            cpu,
            started,
        }
    }

    /// Looks now.
    pub(super) async fn look(&self, app: &App, takes_traffic: bool) {
        let engine = app.engine();
        let now_ms = engine.now_ms();
        self.ready.set(i64::from(takes_traffic));
        self.streams.set(i64::try_from(app.feed().watching()).unwrap_or(i64::MAX));
        self.process();
        self.accounts(&engine.own_accounts(), now_ms);
        let shared = engine.database().engine() == storage::Engine::Postgres;
        let read = engine.database().read_long(move |tx| look(tx, now_ms, shared));
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(look)) => {
                self.db_up.set(1);
                self.stored(&look, now_ms);
            }
            Ok(Err(error)) => {
                self.db_up.set(0);
                tracing::warn!(%error, "the database could not be looked at for metrics");
            }
            Err(_) => {
                self.db_up.set(0);
                tracing::warn!("the database took too long to be looked at for metrics");
            }
        }
    }

    fn stored(&self, look: &Look, now_ms: i64) {
        for (name, due, since_ms) in &look.queues {
            let label: One = [("queue", Cow::Borrowed(*name))];
            self.queue_due.get_or_create(&label).set(*due);
            self.queue_age.get_or_create(&label).set(age(*since_ms, now_ms));
        }
        for (state, count, since_ms) in &look.operations {
            let label: One = [("state", state.name().into())];
            self.operations.get_or_create(&label).set(*count);
            self.operations_age.get_or_create(&label).set(age(*since_ms, now_ms));
        }
        let webhooks::Backlog { pending, pending_since_ms, dead } = look.backlog;
        self.webhooks.get_or_create(&[("stage", "pending".into())]).set(pending);
        self.webhooks.get_or_create(&[("stage", "dead".into())]).set(dead);
        self.webhooks_age.set(age(pending_since_ms, now_ms));
        self.endpoints_disabled.set(look.endpoints_disabled);
        self.nodes.set(look.nodes);
    }

    fn accounts(&self, accounts: &[Account], now_ms: i64) {
        // Whom this node has not asked for long is no longer told of.
        self.circuit.clear();
        self.klarna_in_flight.clear();
        self.klarna_limited.clear();
        for Account { account, gate } in accounts {
            let of: One = [("account", account.clone().into())];
            for phase in PHASES {
                let labels = [("account", account.clone().into()), ("state", phase.name().into())];
                self.circuit.get_or_create(&labels).set(i64::from(gate.circuit == phase));
            }
            self.klarna_in_flight.get_or_create(&of).set(i64::from(gate.in_flight));
            self.klarna_limited.get_or_create(&of).set(i64::from(gate.limited_until_ms > now_ms));
            self.klarna_put_off
                .get_or_create(&of)
                .inner()
                .store(gate.put_off, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn process(&self) {
        let process = process::look();
        self.resident.set(process.resident_bytes);
        self.virtual_memory.set(process.virtual_bytes);
        self.open_fds.set(process.open_fds);
        self.max_fds.set(process.max_fds);
        self.threads.set(process.threads);
        let cpu = Duration::from_millis(process.cpu_ms).as_secs_f64();
        self.cpu.inner().store(cpu.to_bits(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Keeps when the process started.
    pub(super) fn started_at(&self, at_ms: i64) {
        self.started.set(seconds(at_ms));
    }
}

fn bytes(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register_with_unit(name, help, Unit::Bytes, gauge.clone());
    gauge
}

fn seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

fn age(since_ms: Option<i64>, now_ms: i64) -> f64 {
    seconds(since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms)))
}

fn look(tx: &mut Tx<'_>, now_ms: i64, shared: bool) -> Result<Look, Fault> {
    let mut look = Look::default();
    for (name, queue) in QUEUES {
        let (due, since_ms) = queue.backlog(tx, now_ms, COUNT_TO)?;
        look.queues.push((name, due, since_ms));
    }
    for state in STATES {
        let (count, since_ms) = operations::count_in(tx, state, COUNT_TO)?;
        look.operations.push((state, count, since_ms));
    }
    look.backlog = webhooks::backlog(tx, COUNT_TO)?;
    look.endpoints_disabled = webhooks::count_all_needing_attention(tx)?;
    look.nodes = if shared { nodes::count(tx)? } else { 1 };
    Ok(look)
}
