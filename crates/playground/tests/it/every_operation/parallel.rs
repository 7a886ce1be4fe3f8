//! Two merchants at work at the same time, each trying everything on what is the other's: neither is shown
//! anything, and both end as if they had been alone.

use std::collections::BTreeMap;
use std::sync::Mutex;

use catalogue::{Operation, operations};
use serde_json::{Value, json};

use crate::common::{Merchant, Reply, World, engines};
use crate::every_operation::belongings::{Belongings, Request};
use crate::every_operation::strangers::{Secrets, attempts, judge};

/// How often each merchant carries everything out.
const ROUNDS: usize = 2;

/// What both leave for the other one to try its hands on, and what became of it.
#[derive(Default)]
struct Board {
    belongings: Mutex<BTreeMap<String, Vec<Belongings>>>,
    answers: Mutex<Vec<(&'static Operation, String, Request, Reply)>>,
}

/// All of a merchant's work, with what it sees in the end.
async fn work(world: &World, merchant: &Merchant, mark: &'static str, board: &Board) -> Value {
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let own = Belongings::of(world, merchant, mark).await;
        {
            let mut all = board.belongings.lock().unwrap();
            all.entry(merchant.merchant_id.clone()).or_default().push(own.clone());
        }
        let changes = operations().filter(|operation| operation.method != "GET");
        let (ends, others): (Vec<_>, Vec<_>) =
            changes.partition(|operation| Belongings::uses_up(operation));
        for operation in others {
            seen.push(try_everything(world, &own, operation, board).await);
        }
        seen.push(json!(own.read(world).await));
        for operation in ends {
            seen.push(try_everything(world, &own, operation, board).await);
        }
    }
    Value::Array(seen.iter().map(without_ids).collect())
}

/// Carries an operation out, having tried it on what is the other's.
async fn try_everything(
    world: &World,
    own: &Belongings,
    operation: &'static Operation,
    board: &Board,
) -> Value {
    let others: Vec<Belongings> = {
        let all = board.belongings.lock().unwrap();
        all.iter()
            .filter(|(merchant_id, _)| **merchant_id != own.owner.merchant_id)
            .filter_map(|(_, belongings)| belongings.last().cloned())
            .collect()
    };
    for other in others {
        for request in attempts(operation, &other, own) {
            let reply = request.send(world, &own.owner).await;
            let answer = (operation, other.owner.merchant_id.clone(), request, reply);
            board.answers.lock().unwrap().push(answer);
        }
    }
    let reply = own.request(operation).send(world, own.caller(operation)).await;
    json!([operation.name, reply.status, reply.json["error_code"]])
}

/// What does not depend on chance: numbers, states and names.
fn without_ids(value: &Value) -> Value {
    match value {
        Value::String(text)
            if text.len() > 3 && !text.chars().all(|c| c.is_lowercase() || c == '_') =>
        {
            json!("…")
        }
        Value::Array(values) => {
            // What happened at the same time has no order.
            let mut values: Vec<Value> = values.iter().map(without_ids).collect();
            values.sort_by_key(Value::to_string);
            json!(values)
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), without_ids(value))).collect()
        }
        other => other.clone(),
    }
}

/// Where two values first differ.
fn difference(one: &Value, other: &Value) -> Option<String> {
    let below = |name: &str, one: &Value, other: &Value| {
        difference(one, other).map(|what| format!("{name}/{what}"))
    };
    match (one, other) {
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).find_map(|(one, other)| below("", one, other))
        }
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().find_map(|(name, one)| below(name, one, &other[name]))
        }
        (one, other) => (one != other).then(|| format!(" {one} and {other}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_merchants_at_work_at_once_are_as_if_alone() {
    for (alone, both) in engines().await.into_iter().zip(engines().await) {
        let world = alone.world().await;
        let expected = work(&world, &world.merchant, "Zebrafink", &Board::default()).await;
        world.stop().await;
        together(&both.world().await, &expected).await;
    }
}

/// Both merchants at work in one world.
async fn together(world: &World, expected: &Value) {
    let board = Board::default();
    let (first, second) = tokio::join!(
        work(world, &world.merchant, "Zebrafink", &board),
        work(world, &world.stranger, "Waldkauz", &board),
    );
    for (index, expected) in expected.as_array().unwrap().iter().enumerate() {
        for own in [&first[index], &second[index]] {
            let difference = difference(own, expected);
            assert_eq!(difference, None);
        }
    }

    let mut secrets = BTreeMap::new();
    let belongings = board.belongings.into_inner().unwrap();
    for (merchant_id, own) in belongings {
        let all = own.iter().map(|own| Secrets::of(own, &BTreeMap::new(), &BTreeMap::new()));
        secrets.insert(merchant_id, all.collect::<Vec<_>>());
    }
    let answers = board.answers.into_inner().unwrap();
    assert!(answers.len() > operations().count(), "they were at work one after the other");
    let faults: Vec<String> = answers
        .iter()
        .filter_map(|(operation, owner, request, reply)| {
            let judge = |secrets| judge(operation, secrets, request, reply);
            let what = secrets[owner].iter().find_map(judge)?;
            Some(format!("{} {}: {what}", request.method, request.path))
        })
        .collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
