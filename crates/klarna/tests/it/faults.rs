//! Every operation of the SDK under every fault that the playground can do to a call: what the caller is told, whether
//! a write is said to be in doubt exactly when it is, and whether the call is repeated exactly when it may be.
//!
//! The operations are the playground's own list, so that none is forgotten.

mod operations;

use std::rc::Rc;
use std::time::Duration;

use crate::common::script::quick;
use crate::common::world::World;
use http::Method;
use klarna::retry::RetryPolicy;
use klarna::{Client, Credentials, Error, ErrorKind};
use operations::{Answers, Case, Class, Tried, cases};
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

/// How many operations are tried at the same time.
const AT_ONCE: usize = 8;

/// A merchant of its own for each operation, so that faults hit nobody else.
struct Merchant {
    id: String,
    /// Tries once.
    once: Client,
    /// Tries again as usual.
    usual: Client,
    /// Tries once, and does not wait long.
    hasty: Client,
}

/// What a fault does to a call.
struct Fault {
    name: &'static str,
    effect: Value,
    /// Whether the call takes effect, so that it can be made only once.
    takes_effect: bool,
    expected: Expected,
}

/// What the caller of a call that was tried once is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// What it is told without the fault.
    Nothing,
    /// An error status after which a write is in doubt.
    Doubtful(u16),
    /// An error status that says that nothing was done.
    Refused(u16),
    /// The connection was lost.
    Interrupted,
    /// The same if there is a body; nothing is wrong, or the whole answer is lost, where there is none.
    InterruptedBody,
    /// The deadline passed.
    TimedOut,
}

fn faults() -> Vec<Fault> {
    let fault =
        |name, effect, takes_effect, expected| Fault { name, effect, takes_effect, expected };
    let error =
        |status: u16, when: &str| json!({ "type": "error", "status": status, "when": when });
    let drop = |how: &str, when: &str| json!({ "type": "drop", "how": how, "when": when });
    let fixed = |ms: u64, when: &str| json!({ "type": "latency", "distribution": { "kind": "fixed", "ms": ms }, "when": when });
    vec![
        fault("500", error(500, "before"), false, Expected::Doubtful(500)),
        fault("502", error(502, "before"), false, Expected::Doubtful(502)),
        fault("503", error(503, "before"), false, Expected::Doubtful(503)),
        fault("504", error(504, "before"), false, Expected::Doubtful(504)),
        fault("429", error(429, "before"), false, Expected::Refused(429)),
        fault("closed before", drop("close", "before"), false, Expected::Interrupted),
        fault("reset before", drop("reset", "before"), false, Expected::Interrupted),
        fault("too late before", fixed(20_000, "before"), false, Expected::TimedOut),
        fault("a little late", fixed(5, "after"), true, Expected::Nothing),
        fault(
            "slow body",
            json!({ "type": "slow_body", "bytes_per_second": 200_000 }),
            true,
            Expected::Nothing,
        ),
        fault("500 after", error(500, "after"), true, Expected::Doubtful(500)),
        fault("closed after", drop("close", "after"), true, Expected::Interrupted),
        fault("reset after", drop("reset", "after"), true, Expected::Interrupted),
        fault("truncated", json!({ "type": "truncate" }), true, Expected::InterruptedBody),
        fault("too late after", fixed(20_000, "after"), true, Expected::TimedOut),
    ]
}

async fn merchant(world: &World) -> Merchant {
    let created = world.control("/merchants", &json!({})).await;
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    let client = |policy: RetryPolicy, deadline: Duration| {
        Client::builder(Credentials::new(text("username"), text("password")))
            .base_url(world.client.base_url())
            .unwrap()
            .retry(policy)
            .read_deadline(deadline)
            .write_deadline(deadline)
            .build()
            .unwrap()
    };
    let patient = Duration::from_secs(60);
    Merchant {
        id: text("merchant_id"),
        once: client(RetryPolicy::never(), patient),
        usual: client(quick(), patient),
        hasty: client(RetryPolicy::never(), Duration::from_millis(700)),
    }
}

/// Makes the next call of an operation fail.
async fn arm(world: &World, merchant: &Merchant, case: &Case, effect: &Value) -> String {
    let fault = json!({
        "match": { "operation": case.operation, "merchant_id": merchant.id },
        "times": 1, "effect": effect,
    });
    world.control("/faults", &fault).await["id"].as_str().unwrap().to_owned()
}

/// Takes the fault away; it has to have hit.
async fn disarm(world: &World, id: &str, about: &str) {
    let path = format!("/playground/v1/faults/{id}");
    let fault = world.client.raw(Method::GET, &path).send::<Value>().await.unwrap();
    assert_eq!(fault["injected"], 1, "{about}: nothing was hit");
    world.client.raw(Method::DELETE, path).send_raw().await.unwrap();
}

/// What comes of a call, in a few words: `ok`, or what the error is.
fn words(result: &Tried) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let status = error.status().map_or(0, |status| status.as_u16());
            format!("{:?} {status} {}", error.kind(), error.outcome_unknown())
        }
    }
}

fn check_once(case: &Case, fault: &Fault, result: &Tried, usual: &str) {
    let about = format!("{}, {}: {}", case.operation, fault.name, words(result));
    let is_write = case.class != Class::Read;
    let is_repeatable = case.class != Class::Once;
    let check = |error: &Error, kind: ErrorKind, in_doubt: bool, is_retryable: bool| {
        assert_eq!(error.kind(), kind, "{about}");
        assert_eq!(error.outcome_unknown(), in_doubt, "{about}");
        assert_eq!(error.is_retryable(), is_retryable, "{about}");
        assert_eq!(error.tries(), 1, "{about}");
        assert_eq!(error.idempotency_key().is_some(), case.class == Class::Keyed, "{about}");
    };
    match (fault.expected, result) {
        (Expected::Nothing, result) => assert_eq!(words(result), usual, "{about}"),
        (Expected::Doubtful(status), Err(error)) => {
            check(error, ErrorKind::Refused, is_write, is_repeatable);
            assert_eq!(error.status().unwrap(), status, "{about}");
        }
        (Expected::Refused(status), Err(error)) => {
            check(error, ErrorKind::Refused, false, true);
            assert_eq!(error.status().unwrap(), status, "{about}");
        }
        // What was refused is refused, with or without the body that says why.
        (Expected::InterruptedBody, result) if case.answers == Answers::Refusal => {
            assert_eq!(words(result), usual, "{about}");
        }
        (Expected::Interrupted | Expected::InterruptedBody, Err(error)) => {
            check(error, ErrorKind::Interrupted, is_write, is_repeatable);
        }
        (Expected::TimedOut, Err(error)) => {
            check(error, ErrorKind::TimedOut, is_write, is_repeatable);
        }
        (_, Ok(_)) => panic!("{about}"),
    }
}

fn check_repeated(case: &Case, fault: &Fault, result: &Tried, usual: &str) {
    let about = format!("{}, {}, repeated: {}", case.operation, fault.name, words(result));
    let tries = match result {
        Ok(tries) => *tries,
        Err(error) => error.tries(),
    };
    let hits = match fault.expected {
        Expected::Nothing | Expected::TimedOut => return,
        // A body that breaks off while it is read as a stream is the reader's to begin again.
        Expected::InterruptedBody if case.answers == Answers::Stream => {
            assert_eq!((tries, result.is_err()), (1, true), "{about}");
            return;
        }
        Expected::InterruptedBody if case.answers == Answers::Refusal => 0,
        _ => 1,
    };
    let is_known = matches!(fault.expected, Expected::Refused(_));
    if hits == 1 && case.class == Class::Once && !is_known {
        assert_eq!((tries, result.is_err()), (1, true), "{about}");
        return;
    }
    assert_eq!(tries, 1 + hits, "{about}");
    match result {
        // The second try found what the first had done, and cannot tell that it was the first.
        Err(error) if case.class == Class::TakenOnce && fault.takes_effect => {
            assert!(error.outcome_unknown(), "{about}");
        }
        result if usual == "ok" => assert!(result.is_ok(), "{about}"),
        Err(error) => assert_eq!(error.status().unwrap(), 404, "{about}"),
        Ok(_) => panic!("{about}"),
    }
}

/// One operation under all faults.
async fn try_out(world: &World, case: &Case) {
    let merchant = merchant(world).await;
    let usual = {
        let ids = (case.prepare)(world, &merchant.once).await;
        words(&(case.call)(&merchant.once, &ids).await)
    };
    let expected = if case.answers == Answers::Refusal { "Refused 404 false" } else { "ok" };
    assert_eq!(usual, expected, "{}", case.operation);
    // As long as nothing takes effect, the same things can be used again.
    let mut ids = (case.prepare)(world, &merchant.once).await;
    for fault in faults() {
        let client =
            if fault.expected == Expected::TimedOut { &merchant.hasty } else { &merchant.once };
        let about = format!("{}, {}", case.operation, fault.name);
        let armed = arm(world, &merchant, case, &fault.effect).await;
        let result = (case.call)(client, &ids).await;
        disarm(world, &armed, &about).await;
        check_once(case, &fault, &result, &usual);
        let is_used_up = fault.takes_effect && case.class != Class::Read;
        if is_used_up {
            ids = (case.prepare)(world, &merchant.once).await;
        }
        if matches!(fault.name, "503" | "429" | "reset before" | "closed after" | "truncated") {
            let armed = arm(world, &merchant, case, &fault.effect).await;
            let result = (case.call)(&merchant.usual, &ids).await;
            disarm(world, &armed, &about).await;
            check_repeated(case, &fault, &result, &usual);
            if case.class != Class::Read {
                ids = (case.prepare)(world, &merchant.once).await;
            }
        }
    }
}

#[tokio::test]
async fn every_call_under_every_fault_says_what_became_of_it() {
    let world = World::start().await;
    let cases = cases();
    // The playground names all operations to whoever names a wrong one.
    let wrong = json!({ "match": { "operation": "?" }, "effect": { "type": "drop" } });
    let path = "/playground/v1/faults";
    let refused =
        world.client.raw(Method::POST, path).json(&wrong).send::<Value>().await.unwrap_err();
    let told = refused.messages().join(" ");
    let mut known: Vec<&str> = told
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "._".contains(letter)))
        .filter(|word| word.contains('.') && !word.starts_with("match."))
        // The version between the main one and the second is called by its paths: the SDK has no types for it.
        .filter(|word| !word.starts_with("disputes_v3."))
        .collect();
    known.sort_unstable();
    let mut tried: Vec<&str> = cases.iter().map(|case| case.operation).collect();
    tried.sort_unstable();
    assert_eq!(tried, known);
    // Several at a time: much of the time is spent waiting. One that goes wrong does not hide the others.
    let world = Rc::new(world);
    let mut wrong = Vec::new();
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut waiting = cases.into_iter();
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE
                    && let Some(case) = waiting.next()
                {
                    let world = Rc::clone(&world);
                    running.spawn_local(async move { try_out(&world, &case).await });
                }
                match running.join_next().await {
                    Some(Ok(())) => {}
                    Some(Err(error)) => wrong.push(error.to_string()),
                    None => break,
                }
            }
        })
        .await;
    assert_eq!(wrong, [""; 0]);
    Rc::into_inner(world).unwrap().stop().await;
}
