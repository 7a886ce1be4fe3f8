//! What shops and people do with webhook endpoints and deliveries: each a unit of work of its own, or
//! part of one.

use klarna_types::Secret;
use serde_json::json;
use service::reach::AddressClass;
use storage::Tx;
use url::Host;

use super::super::Engine;
use super::{Courier, Targets, secrets};
use crate::domain::webhook::{
    self, Delivery, Endpoint, LONGEST_DESCRIPTION, MOST_ENDPOINTS, MOST_PATTERNS, SealedSecret,
    Standing, Why,
};
use crate::fault::Fault;
use crate::store::events::{self, Event, Filter, Order};
use crate::store::webhooks::{self as rows, Told};

/// So many deliveries are begun anew in one unit of work.
pub const REPLAY_BATCH: i64 = 500;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// There is no such endpoint in this store.
    NoEndpoint,
    /// There is no such delivery in this store.
    NoDelivery,
    /// The store has as many endpoints as it may have.
    TooMany,
    /// The endpoint is disabled: nothing can be sent to it.
    Disabled,
    /// A member of the request is wrong.
    Invalid {
        /// Which.
        member: &'static str,
        /// Why, and what would have worked.
        detail: String,
    },
}

/// What an endpoint is to be.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Where messages are posted.
    pub url: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Which events.
    pub events: Option<Vec<String>>,
}

impl Wish {
    /// The wish, if all of it is possible.
    pub fn checked(mut self, targets: Targets) -> Result<Self, NotDone> {
        if let Some(text) = &self.url {
            self.url = Some(checked_url(text.trim(), targets)?);
        }
        if let Some(text) = &mut self.description {
            *text = text.trim().to_owned();
            if text.chars().count() > LONGEST_DESCRIPTION {
                return Err(NotDone::Invalid {
                    member: "description",
                    detail: format!("at most {LONGEST_DESCRIPTION} characters are allowed"),
                });
            }
        }
        if let Some(patterns) = &mut self.events {
            patterns.sort();
            patterns.dedup();
            if patterns.len() > MOST_PATTERNS {
                return Err(NotDone::Invalid {
                    member: "events",
                    detail: format!(
                        "at most {MOST_PATTERNS} are allowed; `payment.*` means all of a payment"
                    ),
                });
            }
            if !patterns.iter().all(|pattern| webhook::is_pattern(pattern)) {
                return Err(NotDone::Invalid {
                    member: "events",
                    detail: "each is a type such as `payment.captured`, or `payment.*`, or `*`"
                        .to_owned(),
                });
            }
        }
        Ok(self)
    }

    fn apply(self, endpoint: &mut Endpoint) {
        if let Some(url) = self.url {
            endpoint.url = url;
        }
        if let Some(description) = self.description {
            endpoint.description = description;
        }
        if let Some(events) = self.events {
            endpoint.events = events;
        }
    }
}

fn checked_url(text: &str, targets: Targets) -> Result<String, NotDone> {
    let wrong = |detail: String| NotDone::Invalid { member: "url", detail };
    let url = webhook::endpoint_url(text, targets.transport())
        .map_err(|detail| wrong(detail.to_owned()))?;
    // A name is judged when it is called, by what it then means; an address can be judged now.
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        Some(Host::Domain("localhost")) => Some(std::net::Ipv4Addr::LOCALHOST.into()),
        Some(Host::Domain(_)) | None => None,
    };
    match address {
        Some(address) if !targets.reach().allows(address) => Err(wrong(format!(
            "{} may not be called from here; give an address that the internet knows, or have the \
             gateway started with leave to call its own networks",
            AddressClass::of(address)
        ))),
        Some(_) | None => Ok(url.into()),
    }
}

/// A fresh secret, and how it is stored.
#[derive(Debug, Clone)]
pub struct FreshSecret {
    /// What the receiver is given, once.
    pub secret: Secret,
    /// What is stored.
    pub sealed: String,
}

/// Makes a secret.
pub fn fresh_secret(engine: &Engine) -> Result<FreshSecret, Fault> {
    let secret = Secret::new(webhook::secret_of(&engine.fresh_secret()));
    let sealed = secrets::seal(engine, &secret)?;
    Ok(FreshSecret { secret, sealed })
}

/// The newest secret of an endpoint: for the repeat of the request that made it.
pub fn newest_secret(engine: &Engine, endpoint: &Endpoint) -> Result<Option<Secret>, Fault> {
    endpoint.secrets.first().map(|newest| secrets::open(engine, &newest.sealed)).transpose()
}

/// A new endpoint, not stored yet.
pub fn made(engine: &Engine, store_id: &str, wish: Wish, secret: &FreshSecret) -> Endpoint {
    let now_ms = engine.now_ms();
    let mut endpoint = Endpoint {
        id: engine.fresh_id("whe"),
        store_id: store_id.to_owned(),
        version: 1,
        url: String::new(),
        description: String::new(),
        events: Vec::new(),
        standing: Standing::Enabled,
        why: None,
        secrets: vec![SealedSecret {
            sealed: secret.sealed.clone(),
            created_at_ms: now_ms,
            expires_at_ms: None,
        }],
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    wish.apply(&mut endpoint);
    endpoint
}

/// Adds an endpoint.
pub fn create(tx: &mut Tx<'_>, endpoint: &Endpoint) -> Result<Result<(), NotDone>, Fault> {
    if rows::endpoints(tx, &endpoint.store_id)?.len() >= MOST_ENDPOINTS {
        return Ok(Err(NotDone::TooMany));
    }
    rows::insert_endpoint(tx, endpoint)?;
    Ok(Ok(()))
}

/// A change of an endpoint.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another URL, description or choice of events.
    Edit(Wish),
    /// A newer secret.
    Rotate {
        /// How it is stored.
        sealed: String,
        /// How long the older ones go on signing beside it.
        overlap_ms: i64,
    },
    /// It is called again.
    Enable,
    /// It is called no more.
    Disable,
}

/// Changes an endpoint, and answers it as it then is.
pub fn change(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    change: &Change,
    now_ms: i64,
) -> Result<Result<Endpoint, NotDone>, Fault> {
    let Some(mut endpoint) = rows::lock_endpoint(tx, store_id, id)? else {
        return Ok(Err(NotDone::NoEndpoint));
    };
    let was = endpoint.standing;
    match change.clone() {
        Change::Edit(wish) => wish.apply(&mut endpoint),
        Change::Rotate { sealed, overlap_ms } => endpoint.rotate(sealed, overlap_ms, now_ms),
        Change::Enable => endpoint.enable(),
        Change::Disable => endpoint.disable(Why::Asked),
    }
    rows::update_endpoint(tx, &mut endpoint, now_ms)?;
    let kind = match (was, endpoint.standing) {
        (Standing::Enabled, Standing::Disabled) => Some("webhook_endpoint.disabled"),
        (Standing::Disabled, Standing::Enabled) => Some("webhook_endpoint.enabled"),
        (Standing::Enabled, Standing::Enabled) | (Standing::Disabled, Standing::Disabled) => None,
    };
    if let Some(kind) = kind {
        let subject = (endpoint.id.as_str(), endpoint.version);
        let data = json!({ "reason": Why::Asked.name() });
        events::append(tx, store_id, subject, kind, &data, now_ms)?;
    }
    Ok(Ok(endpoint))
}

/// Removes an endpoint with its log.
pub fn delete(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Result<(), NotDone>, Fault> {
    if rows::lock_endpoint(tx, store_id, id)?.is_none() {
        return Ok(Err(NotDone::NoEndpoint));
    }
    rows::delete_endpoint(tx, id)?;
    Ok(Ok(()))
}

/// Sends a message to one endpoint that tells of nothing; answers the delivery's id.
pub fn test(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    subject_id: &str,
    now_ms: i64,
) -> Result<Result<Delivery, NotDone>, Fault> {
    let endpoint = match enabled(tx, store_id, id)? {
        Ok(endpoint) => endpoint,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let data = json!({ "endpoint_id": endpoint.id });
    let event =
        events::append_untold(tx, store_id, (subject_id, 1), "webhook.test", &data, now_ms)?;
    rows::enqueue_to(tx, &endpoint.id, &told(&event, store_id), now_ms)?;
    let delivery_id = crate::domain::idempotency::delivery_id(&endpoint.id, &event.id);
    rows::delivery(tx, &delivery_id)?
        .map(Ok)
        .ok_or_else(|| Fault::inconsistent("a delivery that was just written is not there"))
}

fn told<'a>(event: &'a Event, store_id: &'a str) -> Told<'a> {
    Told {
        id: &event.id,
        store_id,
        subject_id: &event.subject_id,
        kind: &event.kind,
        position: event.position,
        created_at_ms: event.created_at_ms,
    }
}

fn enabled(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Result<Endpoint, NotDone>, Fault> {
    Ok(match rows::endpoint_in(tx, store_id, id)? {
        Some(endpoint) if endpoint.standing == Standing::Enabled => Ok(endpoint),
        Some(_) => Err(NotDone::Disabled),
        None => Err(NotDone::NoEndpoint),
    })
}

/// What is to be sent again to an endpoint.
#[derive(Debug, Clone)]
pub enum Replay {
    /// Its dead letters, oldest first.
    Dead,
    /// What it wants to hear of and happened in a stretch of time, delivered or not.
    Range {
        /// From then on.
        from_ms: i64,
        /// And before then.
        until_ms: i64,
        /// Behind this event, in their order: its time and id.
        after: Option<(i64, String)>,
    },
}

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// So many messages are on their way again.
    pub count: i64,
    /// There is more: go on behind this event. For dead letters its content says nothing.
    pub next: Option<(i64, String)>,
}

/// Has up to [`REPLAY_BATCH`] messages sent again.
pub fn replay(
    tx: &mut Tx<'_>,
    store_id: &str,
    endpoint_id: &str,
    what: &Replay,
    now_ms: i64,
) -> Result<Result<Replayed, NotDone>, Fault> {
    let endpoint = match enabled(tx, store_id, endpoint_id)? {
        Ok(endpoint) => endpoint,
        Err(not_done) => return Ok(Err(not_done)),
    };
    match what {
        Replay::Dead => {
            let count = rows::revive(tx, endpoint_id, REPLAY_BATCH, now_ms)?;
            let next = (count == REPLAY_BATCH).then(|| (now_ms, String::new()));
            Ok(Ok(Replayed { count, next }))
        }
        Replay::Range { from_ms, until_ms, after } => {
            let filter = Filter {
                from_ms: Some(*from_ms),
                until_ms: Some(*until_ms),
                order: Order::OldestFirst,
                after: after.clone(),
                ..Filter::default()
            };
            let found = events::list(tx, store_id, &filter, REPLAY_BATCH)?;
            let mut count = 0;
            for event in &found {
                let mine = event.kind != "webhook.test"
                    && webhook::is_wanted(&endpoint.events, &event.kind);
                if mine && rows::enqueue_to(tx, endpoint_id, &told(event, store_id), now_ms)? {
                    count += 1;
                }
            }
            let whole = i64::try_from(found.len()).unwrap_or(i64::MAX) == REPLAY_BATCH;
            let last = found.into_iter().next_back().filter(|_| whole);
            Ok(Ok(Replayed { count, next: last.map(|event| (event.created_at_ms, event.id)) }))
        }
    }
}

/// Has one message sent again, now, whatever became of it.
pub fn replay_one(
    tx: &mut Tx<'_>,
    store_id: &str,
    delivery_id: &str,
    now_ms: i64,
) -> Result<Result<Delivery, NotDone>, Fault> {
    let Some(delivery) = rows::delivery_in(tx, store_id, delivery_id)? else {
        return Ok(Err(NotDone::NoDelivery));
    };
    if let Err(not_done) = enabled(tx, store_id, &delivery.endpoint_id)? {
        return Ok(Err(not_done));
    }
    let lane = rows::lane(&delivery.endpoint_id, &delivery.subject_id);
    rows::revive_one(tx, delivery_id, &lane, now_ms)?;
    match rows::delivery(tx, delivery_id)? {
        Some(delivery) => Ok(Ok(delivery)),
        None => Ok(Err(NotDone::NoDelivery)),
    }
}

impl Courier {
    /// Says that something is on its way.
    pub fn wake(&self) {
        self.0.engine.news().notify_waiters();
    }
}
