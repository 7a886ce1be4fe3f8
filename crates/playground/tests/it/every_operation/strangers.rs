//! No merchant gets at another's data: each operation is tried with the credentials of one merchant and
//! the ids of another, before and after the owner has made the same call itself. SFTP, which is no operation
//! of an API, is tried in `tests/it/sftp.rs`.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Operation, operations};
use serde_json::{Value, json};

use crate::common::{Reply, engines};
use crate::every_operation::belongings::{Belongings, Request};
use crate::every_operation::wrong_form;

/// Operations that are about whoever calls: with nobody else's ids in them they succeed.
const OF_THE_CALLER: [&str; 11] = [
    "payments.create_session",
    "payment_requests.create",
    "settlements.list_payouts",
    "settlements.summarise_payouts",
    "settlements.list_transactions",
    "settlements.summary_report",
    "settlements.summary_report_with_transactions",
    "disputes.list",
    "disputes_v2.enroll",
    "disputes_v2.list",
    "disputes_v3.list",
];

/// What must not be told to others.
#[derive(Debug)]
pub struct Secrets {
    owner: String,
    texts: BTreeSet<String>,
}

impl Secrets {
    /// Every text that the owner can read, but for what the other one could read before.
    pub fn of(
        owner: &Belongings,
        read: &BTreeMap<&'static str, Value>,
        known: &BTreeMap<&'static str, Value>,
    ) -> Self {
        let mut own = BTreeSet::from([owner.mark.to_owned(), owner.owner.merchant_id.clone()]);
        own.extend(owner.ids().map(str::to_owned));
        for value in read.values() {
            gather(value, &mut own);
        }
        let mut others = BTreeSet::new();
        for value in known.values() {
            gather(value, &mut others);
        }
        // Short ones and names of states are no secrets.
        let is_name =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        own.retain(|text| text.len() >= 6 && !is_name(text) && !others.contains(text));
        Self { owner: owner.owner.merchant_id.clone(), texts: own }
    }

    /// What of it an answer tells that was not in the question.
    pub fn told(&self, request: &Request, reply: &Reply) -> Vec<&str> {
        let mut said = reply.text.clone();
        for value in reply.headers.values() {
            said.push('\n');
            said.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        let mut asked = format!("{}\n{}", request.path, String::from_utf8_lossy(&request.body));
        for (_, value) in &request.headers {
            asked.push('\n');
            asked.push_str(value);
        }
        let told =
            |secret: &&String| said.contains(secret.as_str()) && !asked.contains(secret.as_str());
        self.texts.iter().filter(told).map(String::as_str).collect()
    }
}

fn gather(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            // Reports: what is between the separators.
            into.extend(text.split([',', '\n', '\r', ';', '"']).map(str::to_owned));
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, into)),
        Value::Object(members) => members.values().for_each(|value| gather(value, into)),
        _ => {}
    }
}

/// Every way to ask for what is the owner's with an operation, for somebody who has things of his own.
pub fn attempts(operation: &Operation, owner: &Belongings, thief: &Belongings) -> Vec<Request> {
    let plain = owner.request(operation);
    let mut attempts = vec![plain.clone()];
    if operation.api == catalogue::Api::DisputesV2 {
        let own = thief.owner.merchant_id.as_str();
        attempts.push(plain.with_header("x-klarna-basic-mid", own));
    }
    // What belongs to something of the owner, asked for below something of one's own; and the reverse.
    let names: Vec<&str> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    for (first, others) in [(thief, owner), (owner, thief)] {
        let differs =
            |name: &&str| owner.parameter(operation, name) != thief.parameter(operation, name);
        if names.len() < 2 || names.iter().filter(|name| differs(name)).count() < 2 {
            continue;
        }
        let path = Belongings::path(operation, |name| {
            if names.first() == Some(&name) { first } else { others }.parameter(operation, name)
        });
        let mut request = thief.request(operation);
        request.path = path;
        attempts.push(request);
    }
    // What belongs to the owner, named in a body.
    let mut own = thief.request(operation);
    match operation.name {
        "disputes.represent" => {
            let mut body = own.json();
            body["attachments"][0]["payment_dispute_attachment_id"] = json!(owner.id("file"));
            attempts.push(own.with_body(body.to_string()));
        }
        "payments.create_session" => {
            let mut body = own.json();
            body["customer"]["customer_token"] = json!(owner.id("customer_token"));
            body["step_up_id"] = json!(owner.id("authorization"));
            attempts.push(own.with_body(body.to_string()));
        }
        "disputes.list" => {
            own.path = format!("{}&order_ids={}", own.path, owner.id("order"));
            attempts.push(own);
        }
        _ => {}
    }
    if operation.method != "GET" {
        for request in &mut attempts {
            *request = request.with_header("klarna-idempotency-key", "the-same-for-all");
        }
    }
    attempts
}

/// What is wrong with an answer to somebody else, if anything.
pub fn judge(
    operation: &Operation,
    secrets: &Secrets,
    request: &Request,
    reply: &Reply,
) -> Option<String> {
    let told = secrets.told(request, reply);
    if !told.is_empty() {
        return Some(format!("tells {told:?}: {}", reply.text));
    }
    let names_owner = request.headers.iter().any(|(_, value)| *value == secrets.owner);
    if OF_THE_CALLER.contains(&operation.name) && !names_owner && reply.status < 300 {
        return None;
    }
    if ![400, 403, 404].contains(&reply.status) {
        return Some(format!("status {}: {}", reply.status, reply.text));
    }
    wrong_form(operation.api, reply)
}

#[tokio::test]
async fn no_merchant_sees_anothers_data() {
    for engine in engines().await {
        let world = engine.world().await;
        let thief = Belongings::of(&world, &world.stranger, "Waldkauz").await;
        let before = thief.read(&world).await;
        let mut faults = Vec::new();
        let mut owner = Belongings::of(&world, &world.merchant, "Zebrafink").await;
        let mut read = owner.read(&world).await;
        let mut secrets = Secrets::of(&owner, &read, &before);
        for operation in operations() {
            let attempts = attempts(operation, &owner, &thief);
            for request in &attempts {
                let reply = request.send(&world, &thief.owner).await;
                if let Some(what) = judge(operation, &secrets, request, &reply) {
                    faults.push(format!("{} {}: {what}", request.method, request.path));
                }
            }
            if operation.method == "GET" {
                continue;
            }
            if owner.read(&world).await != read {
                faults.push(format!("{}: something has changed", operation.name));
            }
            // The owner finds everything as it was, whatever the key; after that, too, nothing is told.
            let own = attempts[0].send(&world, owner.caller(operation)).await;
            assert!((200..300).contains(&own.status), "{}: {own:?}", operation.name);
            for request in &attempts {
                let reply = request.send(&world, &thief.owner).await;
                if let Some(what) = judge(operation, &secrets, request, &reply) {
                    faults.push(format!("{} {} again: {what}", request.method, request.path));
                }
            }
            if Belongings::uses_up(operation) {
                owner = Belongings::of(&world, &world.merchant, "Zebrafink").await;
            }
            read = owner.read(&world).await;
            secrets = Secrets::of(&owner, &read, &before);
        }
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        // Whatever the owner did, the other one sees what it saw.
        assert_eq!(thief.read(&world).await, before);
        world.stop().await;
    }
}
