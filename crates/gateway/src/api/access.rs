//! Who may call what: one table by method and route, and the guard that holds every route to it.
//!
//! A route that is not in the table is answered to nobody, so that a new endpoint cannot be
//! forgotten; a test compares the table with the OpenAPI document. Handlers ask nothing more: they
//! take the [`Caller`] (or the [`PublicCaller`]) whom the guard let in.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::extract::{Caller, PublicCaller, StoreCaller};
use super::problem::Problem;
use crate::access::limits::Name;
use crate::app::App;
use crate::domain::access_key::{Key, Kind, Standing};
use crate::domain::idempotency;
use crate::domain::scope::Scope;
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::keys;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it says nothing about any store.
    Nothing,
    /// A secret key with this scope.
    Scope(Scope),
    /// A publishable key, from a page of an allowed origin. The handler asks for the secret of the
    /// checkout, too.
    Publishable,
    /// Any key of the store, with whatever scopes; a publishable one from a page of an allowed origin.
    AnyKey,
}

/// One row: a method, a route as it is registered, and what it needs.
pub type Rule = (&'static str, &'static str, Needs);

/// Every route of the API.
pub const RULES: &[Rule] = {
    use Needs::{AnyKey, Nothing, Publishable};
    use Scope::{
        CheckoutsRead, CheckoutsWrite, EventsRead, KeysManage, PaymentsRead, PaymentsWrite,
        ReportsRead, StoresManage, SubscriptionsRead, SubscriptionsWrite, WebhooksManage,
    };
    const fn of(scope: Scope) -> Needs {
        Needs::Scope(scope)
    }
    &[
        ("GET", "/v1/openapi.json", Nothing),
        // Checkouts.
        ("POST", "/v1/checkouts", of(CheckoutsWrite)),
        ("GET", "/v1/checkouts/{id}", of(CheckoutsRead)),
        ("POST", "/v1/checkouts/{id}", of(CheckoutsWrite)),
        ("POST", "/v1/checkouts/{id}/confirm", of(CheckoutsWrite)),
        ("POST", "/v1/checkouts/{id}/cancel", of(CheckoutsWrite)),
        ("POST", "/v1/checkouts/{id}/page", of(CheckoutsWrite)),
        ("POST", "/v1/checkouts/{id}/send", of(CheckoutsWrite)),
        // For browsers.
        ("GET", "/v1/public/checkouts/{id}", Publishable),
        ("POST", "/v1/public/checkouts/{id}/confirm", Publishable),
        ("GET", "/v1/browser", AnyKey),
        // Shoppers who sign in with Klarna.
        ("POST", "/v1/sign_ins", of(CheckoutsWrite)),
        ("POST", "/v1/sign_ins/{id}/finish", of(CheckoutsWrite)),
        ("POST", "/v1/identities", of(CheckoutsWrite)),
        ("GET", "/v1/identities/{id}", of(CheckoutsRead)),
        ("DELETE", "/v1/identities/{id}", of(CheckoutsWrite)),
        ("POST", "/v1/identities/{id}/link", of(CheckoutsWrite)),
        // Payments and what is done with them.
        ("GET", "/v1/payments", of(PaymentsRead)),
        ("GET", "/v1/payments.csv", of(PaymentsRead)),
        ("GET", "/v1/payments/{id}", of(PaymentsRead)),
        ("GET", "/v1/payments/{id}/events", of(PaymentsRead)),
        ("POST", "/v1/payments/{id}/captures", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/refunds", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/cancel", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/release", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/acknowledge", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/authorization", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/authorization/extend", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/customer-details", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/merchant-references", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/shipping-info", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/captures/{capture_id}/shipping-info", of(PaymentsWrite)),
        ("POST", "/v1/payments/{id}/captures/{capture_id}/resend-communication", of(PaymentsWrite)),
        ("GET", "/v1/payments/{id}/captures/{capture_id}/due-date-options", of(PaymentsRead)),
        ("POST", "/v1/payments/{id}/captures/{capture_id}/due-date", of(PaymentsWrite)),
        // Money and disputes.
        ("GET", "/v1/disputes", of(PaymentsRead)),
        ("GET", "/v1/disputes/{id}", of(PaymentsRead)),
        ("GET", "/v1/payouts", of(ReportsRead)),
        ("GET", "/v1/payouts/{id}", of(ReportsRead)),
        ("GET", "/v1/reports/overview", of(ReportsRead)),
        ("GET", "/v1/expiry-policy", of(PaymentsRead)),
        ("PUT", "/v1/expiry-policy", of(StoresManage)),
        ("GET", "/v1/retention-policy", of(StoresManage)),
        ("PUT", "/v1/retention-policy", of(StoresManage)),
        ("GET", "/v1/erasures", of(StoresManage)),
        ("POST", "/v1/erasures", of(StoresManage)),
        ("GET", "/v1/erasures/{id}", of(StoresManage)),
        ("GET", "/v1/operations", of(PaymentsRead)),
        ("GET", "/v1/operations/{id}", of(PaymentsRead)),
        ("POST", "/v1/operations/{id}/look", of(PaymentsWrite)),
        ("POST", "/v1/operations/{id}/resume", of(PaymentsWrite)),
        ("POST", "/v1/operations/{id}/settle", of(PaymentsWrite)),
        // What happened, and telling of it. Streams take a token of their own as well: see `STREAMS`.
        ("GET", "/v1/events", of(EventsRead)),
        ("GET", "/v1/events/{id}", of(EventsRead)),
        ("GET", "/v1/events/stream", of(EventsRead)),
        ("GET", "/v1/checkouts/{id}/stream", of(CheckoutsRead)),
        ("POST", "/v1/checkouts/{id}/stream_tokens", of(CheckoutsWrite)),
        ("GET", "/v1/payments/{id}/stream", of(PaymentsRead)),
        ("POST", "/v1/payments/{id}/stream_tokens", of(PaymentsWrite)),
        ("GET", "/v1/webhook_endpoints", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints", of(WebhooksManage)),
        ("GET", "/v1/webhook_endpoints/{id}", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}", of(WebhooksManage)),
        ("DELETE", "/v1/webhook_endpoints/{id}", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}/rotate", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}/enable", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}/disable", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}/test", of(WebhooksManage)),
        ("POST", "/v1/webhook_endpoints/{id}/replay", of(WebhooksManage)),
        ("GET", "/v1/webhook_deliveries", of(WebhooksManage)),
        ("GET", "/v1/webhook_deliveries/{id}", of(WebhooksManage)),
        ("POST", "/v1/webhook_deliveries/{id}/replay", of(WebhooksManage)),
        // Stores and their Klarna accounts.
        ("GET", "/v1/stores", of(StoresManage)),
        ("POST", "/v1/stores", of(StoresManage)),
        ("GET", "/v1/stores/{id}", of(StoresManage)),
        ("POST", "/v1/stores/{id}", of(StoresManage)),
        ("GET", "/v1/stores/{id}/accounts", of(StoresManage)),
        ("POST", "/v1/stores/{id}/accounts", of(StoresManage)),
        ("POST", "/v1/stores/{id}/accounts/{account_id}", of(StoresManage)),
        ("POST", "/v1/stores/{id}/accounts/{account_id}/test", of(StoresManage)),
        // What recurs.
        ("GET", "/v1/customers", of(SubscriptionsRead)),
        ("POST", "/v1/customers", of(SubscriptionsWrite)),
        ("GET", "/v1/customers/{id}", of(SubscriptionsRead)),
        ("GET", "/v1/customer_tokens", of(SubscriptionsRead)),
        ("GET", "/v1/customer_tokens/{id}", of(SubscriptionsRead)),
        ("POST", "/v1/customer_tokens/{id}/cancel", of(SubscriptionsWrite)),
        ("GET", "/v1/customer_tokens/{id}/charges", of(SubscriptionsRead)),
        ("POST", "/v1/customer_tokens/{id}/charges", of(SubscriptionsWrite)),
        ("GET", "/v1/customer_tokens/{id}/charges/{charge_id}", of(SubscriptionsRead)),
        ("POST", "/v1/customer_tokens/{id}/charges/{charge_id}/step_up", of(SubscriptionsWrite)),
        ("GET", "/v1/plans", of(SubscriptionsRead)),
        ("POST", "/v1/plans", of(SubscriptionsWrite)),
        ("GET", "/v1/plans/{id}", of(SubscriptionsRead)),
        ("POST", "/v1/plans/{id}/archive", of(SubscriptionsWrite)),
        ("GET", "/v1/subscriptions", of(SubscriptionsRead)),
        ("POST", "/v1/subscriptions", of(SubscriptionsWrite)),
        ("GET", "/v1/subscriptions/{id}", of(SubscriptionsRead)),
        ("GET", "/v1/subscriptions/{id}/charges", of(SubscriptionsRead)),
        ("GET", "/v1/subscriptions/{id}/events", of(SubscriptionsRead)),
        ("POST", "/v1/subscriptions/{id}/pause", of(SubscriptionsWrite)),
        ("POST", "/v1/subscriptions/{id}/resume", of(SubscriptionsWrite)),
        ("POST", "/v1/subscriptions/{id}/retry", of(SubscriptionsWrite)),
        ("POST", "/v1/subscriptions/{id}/cancel", of(SubscriptionsWrite)),
        ("POST", "/v1/subscriptions/{id}/plan", of(SubscriptionsWrite)),
        ("POST", "/v1/subscriptions/{id}/step_up", of(SubscriptionsWrite)),
        // Access itself.
        ("GET", "/v1/api_keys", of(KeysManage)),
        ("POST", "/v1/api_keys", of(KeysManage)),
        ("GET", "/v1/api_keys/{id}", of(KeysManage)),
        ("POST", "/v1/api_keys/{id}/rotate", of(KeysManage)),
        ("POST", "/v1/api_keys/{id}/revoke", of(KeysManage)),
        ("GET", "/v1/audit_log", of(KeysManage)),
    ]
};

/// What a stream token opens in place of a key. Whether the token is good, and for which subject, is looked
/// at by the handler.
const STREAMS: [&str; 3] =
    ["/v1/checkouts/{id}/stream", "/v1/payments/{id}/stream", "/v1/events/stream"];

/// What a route needs, if it is known.
pub fn needs(method: &str, route: &str) -> Option<Needs> {
    // A route that answers GET answers HEAD as well.
    let method = if method == "HEAD" { "GET" } else { method };
    RULES.iter().find(|(m, r, _)| *m == method && *r == route).map(|(_, _, needs)| *needs)
}

/// Whether a change under this scope is kept in the audit log by the guard. What changes keys is
/// kept by the handler, in its own unit of work.
fn is_audited(scope: Scope, method: &Method) -> bool {
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    changes && matches!(scope, Scope::StoresManage | Scope::WebhooksManage)
}

/// The longest value of an id in a path.
const LONGEST_PARAMETER: usize = 200;

/// Lets in whoever may call this route.
pub async fn guard(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    route: Option<MatchedPath>,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let origin = request.headers().get(header::ORIGIN).cloned();
    // Browsers ask first whether they may call, without a key.
    let of_browsers = route.starts_with("/v1/public/") || route == "/v1/browser";
    if request.method() == Method::OPTIONS && of_browsers {
        return preflight(&app, origin.as_ref()).await;
    }
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    let needs = needs(request.method().as_str(), route);
    let admitted = match needs {
        None => {
            tracing::error!(route, "a route has no row in the table of access");
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "no_access_rule",
                "The gateway does not know who may call this address, and so answers nobody.",
                "Report this to whoever runs the gateway; it is a fault of the gateway.",
            ))
        }
        Some(Needs::Nothing) => Ok(()),
        Some(_) if STREAMS.contains(&route) && has_token(request.uri().query()) => {
            let limiter = &app.doors().public_calls;
            if limiter.take(&Name::address(peer), app.engine().now_ms()) {
                Ok(())
            } else {
                Err(Problem::too_many(limiter.window_seconds()))
            }
        }
        Some(needs) => admit(&app, needs, peer, &mut request).await,
    };
    let readable = parameters.iter().all(|(_, value)| is_readable(value));
    let mut response = match admitted {
        Err(problem) => problem.into_response(),
        // No id is like that; and a NUL would be an error of PostgreSQL's.
        Ok(()) if !readable => Problem::not_found("object").into_response(),
        Ok(()) => match is_query_readable(request.uri().query()) {
            Err(problem) => problem.into_response(),
            Ok(()) => next.run(request).await,
        },
    };
    if of_browsers {
        allow_origin(&mut response, origin.as_ref());
    }
    response
}

fn has_token(query: Option<&str>) -> bool {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.any(|(name, _)| name == "token")
}

fn is_readable(value: &str) -> bool {
    value.len() <= LONGEST_PARAMETER && !value.chars().any(char::is_control)
}

fn is_query_readable(query: Option<&str>) -> Result<(), Problem> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match pairs.find(|(_, value)| value.chars().any(char::is_control)) {
        Some((name, _)) => {
            let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            let detail = format!("{name}: control characters are not allowed.");
            Err(Problem::invalid(name, detail))
        }
        None => Ok(()),
    }
}

async fn admit(
    app: &App,
    needs: Needs,
    peer: Option<SocketAddr>,
    request: &mut Request,
) -> Result<(), Problem> {
    let now_ms = app.engine().now_ms();
    if matches!(needs, Needs::Publishable | Needs::AnyKey) {
        let limiter = &app.doors().public_calls;
        if !limiter.take(&Name::address(peer), now_ms) {
            return Err(Problem::too_many(limiter.window_seconds()));
        }
    }
    let key = known(app, request.headers(), now_ms).await?;
    match (needs, key.kind) {
        (Needs::Nothing, _) => {}
        (Needs::Scope(scope), Kind::Secret) => {
            if !key.scopes.has(scope) {
                return Err(missing(scope));
            }
            if is_audited(scope, request.method()) {
                audited(app, &key, request.method(), request.uri().path(), now_ms).await?;
            }
            let caller = Caller {
                store_id: key.store_id,
                key_id: key.id,
                key_name: key.name,
                scopes: key.scopes,
            };
            request.extensions_mut().insert(caller);
        }
        (Needs::Publishable, Kind::Publishable) => {
            check_origin(&key, request.headers())?;
            let caller = PublicCaller { store_id: key.store_id, key_id: key.id };
            request.extensions_mut().insert(caller);
        }
        (Needs::AnyKey, kind) => {
            if kind == Kind::Publishable {
                check_origin(&key, request.headers())?;
            }
            request.extensions_mut().insert(StoreCaller { store_id: key.store_id });
        }
        (Needs::Scope(_), Kind::Publishable) => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "publishable_key",
                "A publishable key only reads and confirms one checkout from a browser.",
                "Call this address from your server, with a secret key (kassa_sk_…).",
            ));
        }
        (Needs::Publishable, Kind::Secret) => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "secret_key",
                "This address is for browsers, and a secret key must never be in one.",
                "Use a publishable key (kassa_pk_…) here; revoke the secret key if it was in a page.",
            ));
        }
    }
    Ok(())
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        detail,
        "Send `Authorization: Bearer kassa_sk_…` with a key of this gateway.",
    )
}

fn missing(scope: Scope) -> Problem {
    let mut problem = Problem::new(
        StatusCode::FORBIDDEN,
        "scope_missing",
        format!("This API key lacks the scope {scope}."),
        format!("Use a key with the scope {scope}, or have one made."),
    );
    problem.member = Some("Authorization".to_owned());
    problem
}

/// The key of a request, if it works.
async fn known(app: &App, headers: &HeaderMap, now_ms: i64) -> Result<Key, Problem> {
    let refused = || unauthorized("The request carries no API key that this gateway knows.");
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .ok_or_else(refused)?;
    let digest = idempotency::digest(given);
    let wanted = digest.clone();
    let found = app.database().read(move |tx| keys::by_digest(tx, &wanted)).await?;
    let key = match found {
        Some((key, stored)) if bool::from(stored.as_bytes().ct_eq(digest.as_bytes())) => key,
        Some(_) | None => return Err(refused()),
    };
    match key.standing(now_ms) {
        Standing::Active => {}
        Standing::Expired => return Err(unauthorized("This API key has expired.")),
        Standing::Revoked => return Err(unauthorized("This API key was revoked.")),
    }
    if key.use_is_news(now_ms) {
        note_use(app, &key.id, now_ms);
    }
    Ok(key)
}

/// Keeps that a key was used, without anybody waiting for it.
fn note_use(app: &App, id: &str, now_ms: i64) {
    let (app, id) = (app.clone(), id.to_owned());
    tokio::spawn(async move {
        let noted = app.database().write(move |tx| keys::note_use(tx, &id, now_ms)).await;
        if let Err(error) = noted {
            tracing::debug!(%error, "that a key was used could not be kept");
        }
    });
}

async fn audited(
    app: &App,
    key: &Key,
    method: &Method,
    path: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    let id = app.engine().fresh_id("aud");
    let actor = Actor::api_key(&key.id, &key.name);
    let (store_id, action, subject) =
        (key.store_id.clone(), format!("api.{}", method.as_str().to_lowercase()), path.to_owned());
    app.database()
        .write(move |tx| {
            let deed = Deed {
                id: &id,
                store_id: &store_id,
                actor: &actor,
                action: &action,
                subject: &subject,
            };
            audit::append(tx, deed, &json!({}), now_ms)
        })
        .await
}

/// A page of an origin that the key does not name may not use it. Programs send no origin, and have
/// the checkout's secret or have nothing.
fn check_origin(key: &Key, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let known = origin.to_str().is_ok_and(|origin| key.origins.iter().any(|each| each == origin));
    if known {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        "Pages of this origin may not use this publishable key.",
        "Name the shop's origin when the key is made.",
    ))
}

const ALLOW_HEADERS: &str = "authorization, checkout-secret, content-type, prefer";

async fn preflight(app: &App, origin: Option<&HeaderValue>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let Some(text) = origin.and_then(|origin| origin.to_str().ok()).map(ToOwned::to_owned) else {
        return response;
    };
    let now_ms = app.engine().now_ms();
    match app.database().read(move |tx| keys::is_known_origin(tx, &text, now_ms)).await {
        Ok(true) => {
            allow_origin(&mut response, origin);
            let headers = response.headers_mut();
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, "600"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            response
        }
        Ok(false) => response,
        Err(fault) => Problem::from(fault).into_response(),
    }
}

/// Lets a page read the answer. Which pages may call at all was decided before; an answer without
/// the key's consent is an error and says nothing about the checkout.
fn allow_origin(response: &mut Response, origin: Option<&HeaderValue>) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What stands between quotes after `.route(` in the sources of the API.
    fn registered() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/api").into()];
        while let Some(folder) = folders.pop() {
            let folder: std::path::PathBuf = folder;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap();
                for piece in text.split(".route(").skip(1) {
                    if let Some(route) = piece.trim_start().strip_prefix('"') {
                        found.insert(route.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
        found.retain(|route| route.starts_with("/v1/"));
        found
    }

    #[test]
    fn every_documented_operation_has_a_rule_and_every_rule_an_operation() {
        let document = serde_json::to_value(super::super::openapi::description()).unwrap();
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                    documented.insert((method.to_uppercase(), path.clone()));
                }
            }
        }
        // The document does not describe itself.
        let ruled: BTreeSet<_> = RULES
            .iter()
            .filter(|(_, _, needs)| *needs != Needs::Nothing)
            .map(|(method, route, _)| ((*method).to_owned(), (*route).to_owned()))
            .collect();
        let forgotten: Vec<_> = documented.difference(&ruled).collect();
        assert!(forgotten.is_empty(), "no row in RULES for {forgotten:?}");
        let unknown: Vec<_> = ruled.difference(&documented).collect();
        assert!(unknown.is_empty(), "rows in RULES for what is not documented: {unknown:?}");
        assert_eq!(
            RULES.len(),
            RULES.iter().map(|(m, r, _)| (m, r)).collect::<BTreeSet<_>>().len()
        );
    }

    #[test]
    fn every_registered_route_is_documented() {
        let ruled: BTreeSet<_> = RULES.iter().map(|(_, route, _)| (*route).to_owned()).collect();
        let forgotten: Vec<_> = registered().difference(&ruled).cloned().collect();
        assert!(registered().len() > 15, "{:?}", registered());
        assert!(
            forgotten.is_empty(),
            "registered, and neither documented nor ruled: {forgotten:?}"
        );
    }

    #[test]
    fn what_changes_something_needs_more_than_reading() {
        for (method, route, needs) in RULES {
            let writes = !matches!(*method, "GET");
            if let Needs::Scope(scope) = needs {
                assert!(!(writes && scope.name().ends_with(":read")), "{method} {route}");
            }
        }
    }
}
