//! Failing on purpose: which calls a fault hits, and what becomes of them.
//!
//! A [`Fault`] is what somebody asked for; [`Fault::check`] says what is wrong with it. An [`Armed`] one
//! counts the calls that it fits and decides, from its seed and those counts alone, which of them it
//! hits: the same calls in the same order are hit in the same way, every time. [`plan_call`] and
//! [`plan_callback`] put several faults together. Nothing here waits, sends or breaks anything.

mod chance;
mod operations;
mod switch;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::callback::CallbackKind;
use chance::Draws;
pub(crate) use operations::OPERATIONS;
pub(crate) use operations::PathPattern;
use operations::{OTHER_P99_MS, Operation};
pub(crate) use switch::from_words;

/// The longest that a call may be held up, in real time.
pub(crate) const GREATEST_LATENCY_MS: u64 = 60_000;

/// The longest that a callback may be kept back, on the playground's clock.
const GREATEST_DELAY_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// How often a callback may come again.
const GREATEST_COPIES: u32 = 10;

/// The first segments of Klarna's paths: elsewhere no fault can hit.
const FIRST_SEGMENTS: [&str; 10] = [
    "payments",
    "ordermanagement",
    "customer-token",
    "hpp",
    "iss",
    "settlements",
    "disputes",
    "v4",
    "v2",
    "merchantcard",
];

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Which calls it is about; all of them when absent.
    #[serde(rename = "match", default)]
    pub(crate) matching: Matching,
    /// How many of each thousand calls are hit: 1 to 1000, all unless given.
    #[serde(default = "all_of_them")]
    pub(crate) per_mille: u64,
    /// How many calls are hit altogether; no end unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    /// How many of the first calls are left alone.
    #[serde(default)]
    pub(crate) skip: u64,
    /// What chance comes from: the same seed hits the same calls. One is made up unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// What becomes of a call that is hit.
    pub(crate) effect: Effect,
}

fn all_of_them() -> u64 {
    1_000
}

/// Which calls a fault is about. Members that are absent do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matching {
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// A path as Klarna's documentation writes it, `/ordermanagement/v1/orders/{order_id}/captures`; a
    /// `*` at its end stands for all that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// An operation by name (`orders.capture`), instead of method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// Whose calls, or whose callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_id: Option<String>,
    /// For callbacks: which kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) callback: Option<CallbackKind>,
}

/// What becomes of a call. The first five are for calls of the APIs, the others for callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Effect {
    /// It takes longer, in real time.
    Latency {
        /// How much longer.
        distribution: Distribution,
        /// Before or after what it asks for is done.
        #[serde(default)]
        when: When,
    },
    /// It is answered with an error.
    Error {
        /// The status, 300 to 599.
        status: u16,
        /// The body; the API's own form of an error unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        body: Option<Value>,
        /// `before`: nothing was done. `after`: it was done all the same.
        #[serde(default)]
        when: When,
    },
    /// Its connection ends without an answer.
    Drop {
        /// `before`: nothing was done. `after`: it was done all the same.
        #[serde(default)]
        when: When,
        /// How the connection ends.
        #[serde(default)]
        how: DropHow,
    },
    /// The answer's body breaks off.
    Truncate {
        /// After so many bytes; half of it unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep_bytes: Option<u64>,
    },
    /// The answer's body trickles, for a minute at most.
    SlowBody {
        /// How fast.
        bytes_per_second: u64,
    },
    /// A callback comes more than once.
    Duplicate {
        /// How often it comes again, 1 to 10; once unless given.
        #[serde(default = "one_copy")]
        copies: u32,
    },
    /// A callback comes after the merchant's next one.
    Reorder {
        /// How long it waits for that one, on the playground's clock; a minute unless given.
        #[serde(default = "a_minute")]
        within_ms: u64,
    },
    /// A callback does not arrive.
    Lose {
        /// Whether it is tried again.
        #[serde(default)]
        retries: Retries,
    },
    /// A callback comes late.
    Delay {
        /// By how much, on the playground's clock.
        ms: u64,
    },
}

fn one_copy() -> u32 {
    1
}

fn a_minute() -> u64 {
    60_000
}

/// On which side of the work that a call asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    /// Before it.
    #[default]
    Before,
    /// After it.
    After,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DropHow {
    /// It is closed.
    #[default]
    Close,
    /// It is reset.
    Reset,
}

/// What becomes of the attempts after a lost one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Retries {
    /// They are made as after any failure.
    #[default]
    Kept,
    /// There are none.
    Lost,
}

/// How long a delay is, in milliseconds, a minute at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Distribution {
    /// Always the same.
    Fixed {
        /// So long.
        ms: u64,
    },
    /// Anything between two bounds.
    Uniform {
        /// The least.
        min_ms: u64,
        /// The greatest.
        max_ms: u64,
    },
    /// Around a mean, like a normal distribution.
    Normal {
        /// The mean.
        mean_ms: u64,
        /// The standard deviation.
        deviation_ms: u64,
    },
    /// Like a service of which 99 of 100 answers take no longer.
    P99 {
        /// Than this.
        ms: u64,
    },
    /// The same with the time that Klarna publishes for the operation.
    ServiceLevel {},
}

/// Something in a [`Fault`] that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) path: &'static str,
    /// Why, and what could be.
    pub(crate) reason: String,
}

impl Effect {
    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Error { .. } => "error",
            Self::Drop { .. } => "drop",
            Self::Truncate { .. } => "truncate",
            Self::SlowBody { .. } => "slow_body",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Lose { .. } => "lose",
            Self::Delay { .. } => "delay",
        }
    }

    /// Whether it happens to callbacks, and not to calls of the APIs.
    fn is_for_callbacks(&self) -> bool {
        match self {
            Self::Latency { .. }
            | Self::Error { .. }
            | Self::Drop { .. }
            | Self::Truncate { .. }
            | Self::SlowBody { .. } => false,
            Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Lose { .. }
            | Self::Delay { .. } => true,
        }
    }
}

impl Distribution {
    fn greatest_ms(self) -> u64 {
        match self {
            Self::Fixed { ms } | Self::P99 { ms } => ms,
            Self::Uniform { max_ms, .. } => max_ms,
            Self::Normal { mean_ms, deviation_ms } => mean_ms.max(deviation_ms),
            Self::ServiceLevel {} => 0,
        }
    }

    fn draw(self, draws: &mut Draws, published_p99_ms: u64) -> u64 {
        let drawn = match self {
            Self::Fixed { ms } => ms,
            Self::Uniform { min_ms, max_ms } => draws.between(min_ms, max_ms),
            Self::Normal { mean_ms, deviation_ms } => draws.around(mean_ms, deviation_ms),
            Self::P99 { ms } => draws.with_p99(ms),
            Self::ServiceLevel {} => draws.with_p99(published_p99_ms),
        };
        drawn.min(GREATEST_LATENCY_MS)
    }
}

impl Fault {
    /// What is wrong with it: empty when it can be armed.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |path, reason: String| problems.push(Problem { path, reason });
        if !(1..=1_000).contains(&self.per_mille) {
            wrong("per_mille", "1 to 1000 of each thousand calls can be hit".to_owned());
        }
        // Larger ones no reader elsewhere can hold, and the description says so.
        for (path, number) in
            [("skip", Some(self.skip)), ("times", self.times), ("seed", self.seed)]
        {
            if number.is_some_and(|number| i64::try_from(number).is_err()) {
                wrong(path, format!("at most {}", i64::MAX));
            }
        }
        if self.times == Some(0) {
            wrong("times", "a fault hits once at least; leave it out for no end".to_owned());
        }
        if self.effect.is_for_callbacks() {
            let matching = &self.matching;
            for (path, given) in [
                ("match.method", matching.method.is_some()),
                ("match.path", matching.path.is_some()),
                ("match.operation", matching.operation.is_some()),
            ] {
                if given {
                    wrong(path, format!("{} happens to callbacks", self.effect.name()));
                }
            }
        } else {
            if self.matching.callback.is_some() {
                let name = self.effect.name();
                let reason = format!("{name} happens to calls of the APIs, not to callbacks");
                wrong("match.callback", reason);
            }
            self.check_route(&mut wrong);
        }
        if let Some((path, reason)) = self.wrong_effect() {
            wrong(path, reason);
        }
        problems
    }

    fn check_route(&self, wrong: &mut impl FnMut(&'static str, String)) {
        let Matching { method, path, operation, .. } = &self.matching;
        if let Some(name) = operation {
            if method.is_some() || path.is_some() {
                let reason = "an operation has its method and path; give one or the other";
                wrong("match.operation", reason.to_owned());
            } else if Operation::named(name).is_none() {
                let names: Vec<&str> = OPERATIONS.iter().map(|operation| operation.name).collect();
                wrong("match.operation", format!("the operations are {}", names.join(", ")));
            }
        }
        if let Some(method) = method
            && !["GET", "POST", "PATCH", "PUT", "DELETE"].contains(&method.as_str())
        {
            wrong("match.method", "GET, POST, PATCH, PUT or DELETE".to_owned());
        }
        if let Some(path) = path {
            if let Err(error) = PathPattern::parse(path) {
                wrong("match.path", error.to_string());
            } else {
                let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
                if first != "*" && !FIRST_SEGMENTS.contains(&first) {
                    let reason =
                        format!("no path of Klarna's APIs; they begin with {FIRST_SEGMENTS:?}");
                    wrong("match.path", reason);
                }
            }
        }
    }

    /// What is wrong within the effect.
    fn wrong_effect(&self) -> Option<(&'static str, String)> {
        match &self.effect {
            Effect::Latency { distribution, .. } => {
                if let Distribution::Uniform { min_ms, max_ms } = distribution
                    && min_ms > max_ms
                {
                    let reason = format!("{min_ms} is more than max_ms, {max_ms}");
                    return Some(("effect.distribution.min_ms", reason));
                }
                (distribution.greatest_ms() > GREATEST_LATENCY_MS).then(|| {
                    let reason = format!("at most {GREATEST_LATENCY_MS} ms of real time");
                    ("effect.distribution", reason)
                })
            }
            Effect::Error { status, .. } => (!(300..=599).contains(status))
                .then(|| ("effect.status", "a status from 300 to 599".to_owned())),
            Effect::Drop { .. } | Effect::Truncate { .. } | Effect::Lose { .. } => None,
            Effect::SlowBody { bytes_per_second } => (*bytes_per_second == 0)
                .then(|| ("effect.bytes_per_second", "at least 1".to_owned())),
            Effect::Duplicate { copies } => (!(1..=GREATEST_COPIES).contains(copies))
                .then(|| ("effect.copies", format!("1 to {GREATEST_COPIES}"))),
            Effect::Reorder { within_ms: ms } => (!(1..=GREATEST_DELAY_MS).contains(ms))
                .then(|| ("effect.within_ms", format!("1 to {GREATEST_DELAY_MS}"))),
            Effect::Delay { ms } => (!(1..=GREATEST_DELAY_MS).contains(ms))
                .then(|| ("effect.ms", format!("1 to {GREATEST_DELAY_MS}"))),
        }
    }
}

/// How far a fault has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that it fits.
    pub(crate) matched: u64,
    /// Calls that it hit.
    pub(crate) injected: u64,
}

/// A fault that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Armed {
    /// Its id.
    pub(crate) id: String,
    /// What was asked for.
    pub(crate) fault: Fault,
    /// How far it has come.
    pub(crate) counts: Counts,
    seed: u64,
    method: Option<String>,
    pattern: Option<PathPattern>,
}

/// A fault that hit a call, as the request log names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Injected {
    /// Which fault; `switch` for one that the call itself asked for.
    pub(crate) fault_id: String,
    /// What it did, in a few words.
    pub(crate) effect: String,
}

/// A call of an API that a fault may hit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// HTTP method.
    pub(crate) method: &'a str,
    /// Path without query.
    pub(crate) path: &'a str,
    /// Whose it is.
    pub(crate) merchant_id: &'a str,
}

/// What is to become of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallPlan {
    /// How long it waits before it is done.
    pub(crate) before_ms: u64,
    /// How long it waits once it is done.
    pub(crate) after_ms: u64,
    /// What else happens.
    pub(crate) damage: Option<Damage>,
    /// Who did it.
    pub(crate) injected: Vec<Injected>,
}

/// What else happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Damage {
    /// An error is answered.
    Error {
        /// The status.
        status: u16,
        /// The body; the API's own form unless given.
        body: Option<Value>,
        /// Whether the work is done.
        when: When,
    },
    /// The connection ends.
    Drop {
        /// Whether the work is done.
        when: When,
        /// How it ends.
        how: DropHow,
    },
    /// The body breaks off.
    Truncate {
        /// After so many bytes, or in the middle.
        keep_bytes: Option<u64>,
    },
    /// The body trickles.
    SlowBody {
        /// So fast.
        bytes_per_second: u64,
    },
}

/// What is to become of an attempt at a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallbackDamage {
    /// It comes so often besides.
    Duplicate(u32),
    /// It comes after the next one, or after so many milliseconds.
    Reorder(u64),
    /// It does not arrive.
    Lose(Retries),
    /// It comes so many milliseconds later.
    Delay(u64),
}

impl Armed {
    /// Arms a fault that [`Fault::check`] finds nothing wrong with. `fresh_seed` is used if it has none.
    pub(crate) fn new(id: String, mut fault: Fault, counts: Counts, fresh_seed: u64) -> Self {
        let seed = *fault.seed.get_or_insert(fresh_seed);
        let named = fault.matching.operation.as_deref().and_then(Operation::named);
        let method = named
            .map(|operation| operation.method.to_owned())
            .or_else(|| fault.matching.method.clone());
        let pattern = named
            .map(|operation| operation.path)
            .or(fault.matching.path.as_deref())
            .and_then(|path| PathPattern::parse(path).ok());
        Self { id, fault, counts, seed, method, pattern }
    }

    /// Whether it has hit as often as it was to.
    pub(crate) fn is_spent(&self) -> bool {
        self.fault.times.is_some_and(|times| self.counts.injected >= times)
    }

    fn fits_merchant(&self, merchant_id: &str) -> bool {
        self.fault.matching.merchant_id.as_deref().is_none_or(|wanted| wanted == merchant_id)
    }

    fn fits_call(&self, call: Call<'_>) -> bool {
        !self.fault.effect.is_for_callbacks()
            && self.fits_merchant(call.merchant_id)
            && self.method.as_deref().is_none_or(|method| method == call.method)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(call.path))
    }

    fn fits_callback(&self, kind: CallbackKind, merchant_id: &str) -> bool {
        self.fault.effect.is_for_callbacks()
            && self.fits_merchant(merchant_id)
            && self.fault.matching.callback.is_none_or(|wanted| wanted == kind)
    }

    /// Counts a call that it fits, and says whether it is hit.
    fn strike(&mut self) -> Option<Draws> {
        if self.is_spent() {
            return None;
        }
        let ordinal = self.counts.matched;
        self.counts.matched = ordinal.saturating_add(1);
        let rank = ordinal.checked_sub(self.fault.skip)?;
        if self.fault.per_mille < 1_000 && !chance::is_hit(self.seed, rank, self.fault.per_mille) {
            return None;
        }
        self.counts.injected = self.counts.injected.saturating_add(1);
        Some(Draws::new(self.seed, ordinal))
    }

    fn injected(&self, effect: String) -> Injected {
        Injected { fault_id: self.id.clone(), effect }
    }
}

/// What becomes of a call. Delays of several faults add up, to a minute at most; of the other effects the
/// first that hits is the only one, and faults after it do not see the call.
pub(crate) fn plan_call(faults: &mut [Armed], call: Call<'_>) -> CallPlan {
    let mut plan = CallPlan::default();
    for fault in faults.iter_mut().filter(|fault| fault.fits_call(call)) {
        let Some(mut draws) = fault.strike() else { continue };
        if let Effect::Latency { distribution, when } = fault.fault.effect {
            let published_ms = Operation::of(call.method, call.path)
                .map_or(OTHER_P99_MS, |operation| operation.p99_ms);
            let drawn_ms = distribution.draw(&mut draws, published_ms);
            let left_ms = GREATEST_LATENCY_MS.saturating_sub(plan.before_ms + plan.after_ms);
            let ms = drawn_ms.min(left_ms);
            match when {
                When::Before => plan.before_ms += ms,
                When::After => plan.after_ms += ms,
            }
            plan.injected.push(fault.injected(format!("latency {ms} ms")));
        } else if let Some(damage) = Damage::of(&fault.fault.effect) {
            plan.injected.push(fault.injected(damage.to_string()));
            plan.damage = Some(damage);
            break;
        }
    }
    plan
}

/// What becomes of an attempt at a callback: the first fault that hits decides.
pub(crate) fn plan_callback(
    faults: &mut [Armed],
    kind: CallbackKind,
    merchant_id: &str,
) -> Option<(CallbackDamage, Injected)> {
    for fault in faults.iter_mut().filter(|fault| fault.fits_callback(kind, merchant_id)) {
        if fault.strike().is_none() {
            continue;
        }
        let damage = match fault.fault.effect {
            Effect::Duplicate { copies } => CallbackDamage::Duplicate(copies),
            Effect::Reorder { within_ms } => CallbackDamage::Reorder(within_ms),
            Effect::Lose { retries } => CallbackDamage::Lose(retries),
            Effect::Delay { ms } => CallbackDamage::Delay(ms),
            Effect::Latency { .. }
            | Effect::Error { .. }
            | Effect::Drop { .. }
            | Effect::Truncate { .. }
            | Effect::SlowBody { .. } => continue,
        };
        return Some((damage, fault.injected(damage.to_string())));
    }
    None
}

impl Damage {
    /// What an effect does to a call besides holding it up; `None` for those that do nothing else.
    fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Error { status, body, when } => {
                Some(Self::Error { status: *status, body: body.clone(), when: *when })
            }
            Effect::Drop { when, how } => Some(Self::Drop { when: *when, how: *how }),
            Effect::Truncate { keep_bytes } => Some(Self::Truncate { keep_bytes: *keep_bytes }),
            Effect::SlowBody { bytes_per_second } => {
                Some(Self::SlowBody { bytes_per_second: *bytes_per_second })
            }
            Effect::Latency { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Lose { .. }
            | Effect::Delay { .. } => None,
        }
    }

    /// Whether nothing of what the call asks for is done.
    pub(crate) fn comes_before(&self) -> bool {
        matches!(
            self,
            Self::Error { when: When::Before, .. } | Self::Drop { when: When::Before, .. }
        )
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error { status, when, .. } => write!(f, "error {status} {when}"),
            Self::Drop { when, how: DropHow::Close } => write!(f, "connection closed {when}"),
            Self::Drop { when, how: DropHow::Reset } => write!(f, "connection reset {when}"),
            Self::Truncate { .. } => f.write_str("body truncated"),
            Self::SlowBody { bytes_per_second } => {
                write!(f, "body at {bytes_per_second} bytes a second")
            }
        }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Before => "before the work",
            Self::After => "after the work",
        })
    }
}

impl std::fmt::Display for CallbackDamage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Duplicate(copies) => write!(f, "duplicated {copies} times"),
            Self::Reorder(_) => f.write_str("reordered"),
            Self::Lose(Retries::Kept) => f.write_str("lost"),
            Self::Lose(Retries::Lost) => f.write_str("lost for good"),
            Self::Delay(ms) => write!(f, "delayed by {ms} ms"),
        }
    }
}

#[cfg(test)]
#[path = "fault/tests.rs"]
mod tests;
