//! Rubbish, sent to every operation: bodies that are no JSON, members of the wrong type, too long, out of
//! range, of no known value; ids and parameters that are none; wrong media types and forms. Each is
//! answered as the caller's mistake, in the form of the API, and changes nothing.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use catalogue::{Operation, Takes, operations};
use serde_json::{Value, json};

use crate::common::{World, engines};
use crate::every_operation::belongings::{Belongings, Request};
use crate::every_operation::wrong_form;

/// Panics of the playground itself, in this process.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.location().is_some_and(|place| place.file().contains("src/")) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            usual(info);
        }));
    });
}

/// A case: what is wrong, and the call.
type Case = (String, Request);

/// Bodies that are no JSON, or no JSON object.
fn unreadable(request: &Request) -> Vec<Case> {
    let good = String::from_utf8(request.body.clone()).unwrap();
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("white space", b" \n ".to_vec()),
        ("half", good.as_bytes()[..good.len() / 2].to_vec()),
        ("words", b"purchase_country=SE".to_vec()),
        ("a NUL", b"\0".to_vec()),
        ("two objects", format!("{good}{good}").into_bytes()),
        ("a list", format!("[{good}]").into_bytes()),
        ("a text", b"\"text\"".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("open brackets", vec![b'['; 100_000]),
        ("deep lists", [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
        ("half a surrogate", good.replacen('"', "\"\\ud800", 1).into_bytes()),
    ];
    // The first member; one of a name that is not known would be ignored.
    let (name, _) = good.split_once(':').unwrap();
    for (what, value) in [
        ("deep lists in a member", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("a number beyond measure", "1e999999".to_owned()),
    ] {
        cases.push((what, format!("{name}:{value}}}").into_bytes()));
    }
    // Behind the first quotation mark: in the name of a member, or in its value.
    for (at, _) in good.match_indices('"').step_by(2).take(2) {
        for (what, bytes) in
            [("no UTF-8", &[0xff][..]), ("a surrogate in UTF-8", &[0xed, 0xa0, 0x80])]
        {
            let (before, after) = request.body.split_at(at + 1);
            let body = [before, bytes, after].concat();
            cases.push((what, body));
        }
    }
    let named = |(name, body): (&str, Vec<u8>)| (name.to_owned(), request.with_body(body));
    let mut cases: Vec<Case> = cases.into_iter().map(named).collect();
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ";"]
    {
        cases.push((media_type.to_owned(), request.with_header("content-type", media_type)));
    }
    cases
}

/// Where each member and each element of a value is.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let at = format!("{at}/{name}");
                into.push(at.clone());
                places(value, &at, into);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                let at = format!("{at}/{index}");
                into.push(at.clone());
                places(value, &at, into);
            }
        }
        _ => {}
    }
}

/// Texts that have no greatest length, or are no texts but JSON within JSON.
fn is_of_any_length(at: &str) -> bool {
    at == "/attachment/body"
}

/// Texts that are one of a few values.
fn is_choice(at: &str) -> bool {
    let name = at.rsplit('/').next().unwrap_or_default();
    [
        "intent",
        "type",
        "gender",
        "purchase_country",
        "purchase_currency",
        "country",
        "interval",
        "acquiring_channel",
        "intended_use",
        "status",
        "place_order_mode",
        "payment_method_category",
        "purchase_type",
        "show_subtotal_detail",
        "method",
        "shipping_method",
        "content_type",
        "step_up",
        "order_type",
        "is_order_shipped",
        "shipping_carrier",
    ]
    .contains(&name)
}

/// What a member may not be.
fn wrong_values(at: &str, value: &Value) -> Vec<(&'static str, Value)> {
    let mut wrong = match value {
        Value::String(_) => vec![
            ("a number", json!(7)),
            ("true", json!(true)),
            ("a list", json!([])),
            ("an object", json!({})),
        ],
        Value::Number(_) => vec![
            ("a text", json!("seven")),
            ("true", json!(true)),
            ("a list", json!([7])),
            ("an object", json!({})),
            ("a fraction", json!(0.5)),
            ("below everything", json!(i64::MIN)),
            ("above everything", json!(i64::MAX)),
            ("more than 63 bits", json!(u64::MAX)),
            ("more than 64 bits", json!(1e30)),
        ],
        Value::Bool(_) => {
            vec![("a text", json!("true")), ("a number", json!(1)), ("a list", json!([]))]
        }
        Value::Array(_) => vec![
            ("a text", json!("list")),
            ("a number", json!(7)),
            ("an object", json!({})),
            ("a list of numbers", json!([1.5])),
            ("a list of null", json!([null])),
        ],
        Value::Object(_) => {
            vec![("a text", json!("object")), ("a number", json!(7)), ("a list", json!([]))]
        }
        Value::Null => Vec::new(),
    };
    let Some(text) = value.as_str() else { return wrong };
    if !is_of_any_length(at) {
        wrong.push(("too long", json!(format!("{text}{}", "A".repeat(20_000)))));
        wrong.push(("with NUL", json!(format!("{text}\0"))));
        wrong.push(("with a line break", json!(format!("{text}\r\nx"))));
        wrong.push(("with a separator", json!(format!("{text}\u{2028}"))));
    }
    if is_choice(at) {
        wrong.push(("no such value", json!("NO_SUCH_VALUE")));
        wrong.push(("nothing", json!("")));
    }
    // Of products and of parcels only the length is documented.
    if text.starts_with("https://")
        && !at.contains("/order_lines/")
        && !at.contains("/shipping_info/")
    {
        wrong.push(("no URL", json!("shop")));
        wrong.push(("another scheme", json!("javascript:alert(1)")));
        wrong.push(("a file", json!("file:///etc/passwd")));
    }
    if at.ends_with("date") || at.ends_with("date_of_birth") {
        for date in ["2026-02-30", "2026-13-01", "yesterday", "99999-01-01", "0000-00-00", "2026"] {
            wrong.push(("no date", json!(date)));
        }
    }
    // What is wrong with an address is for the shopper to correct; where something is sent to it, it counts.
    if at == "/contact_information/email" {
        wrong.push(("no address", json!("customer")));
    }
    wrong
}

/// Each member in turn as it may not be.
fn spoiled(operation: &Operation, request: &Request) -> Vec<Case> {
    let body = request.json();
    let mut all = Vec::new();
    places(&body, "", &mut all);
    let mut cases = Vec::new();
    for at in all {
        for (what, wrong) in wrong_values(&at, body.pointer(&at).unwrap()) {
            // Order Management documents no least and no greatest number here, and does not add lines up.
            let is_line = operation.name.starts_with("orders.") && at.starts_with("/order_lines/");
            if is_line && ["below everything", "above everything"].contains(&what) {
                continue;
            }
            let mut spoiled = body.clone();
            *spoiled.pointer_mut(&at).unwrap() = wrong;
            cases.push((format!("{at} is {what}"), request.with_body(spoiled.to_string())));
        }
    }
    cases
}

/// Ids that are none.
fn foreign_ids(operation: &Operation, own: &Belongings, request: &Request) -> Vec<Case> {
    let names: Vec<&str> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let long = "A".repeat(5_000);
    let query =
        request.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let mut cases = Vec::new();
    for name in names {
        for id in [
            "00000000-0000-4000-8000-000000000000",
            "1'%20OR%20'1'='1",
            "%00",
            "a%00b",
            "%FF%FE",
            "%",
            "%zz",
            "..%2F..%2Fetc%2Fpasswd",
            "%0d%0aset-cookie:%20a=b",
            "%F0%9F%98%80",
            "-1",
            "99999999999999999999",
            &long,
        ] {
            let path = Belongings::path(operation, |parameter| {
                if parameter == name { id.to_owned() } else { own.parameter(operation, parameter) }
            });
            let mut request = request.clone();
            request.path = format!("{path}{query}");
            cases.push((format!("{{{name}}} is {}", &id[..id.len().min(40)]), request));
        }
    }
    cases
}

/// Parameters that are none, of the operations that list.
fn wrong_queries(operation: &Operation, request: &Request) -> Vec<Case> {
    let parameters: &[&str] = match operation.name {
        "settlements.list_payouts" => {
            &["start_date", "end_date", "currency_code", "size", "offset"]
        }
        "settlements.summarise_payouts" => &["start_date", "end_date", "currency_code"],
        "settlements.summary_report" | "settlements.summary_report_with_transactions" => {
            &["start_date", "end_date"]
        }
        // A payout that is not there has no transactions.
        "settlements.list_transactions" => &["size", "offset"],
        "settlements.payout_report" | "settlements.payout_report_with_transactions" => {
            &["payment_reference"]
        }
        "disputes.list" => &[
            "state",
            "reason",
            "sort_by",
            "created_at_start",
            "created_at_end",
            "closed_at_start",
            "closed_at_end",
            "updated_at_start",
            "updated_at_end",
            "size",
            "starting_after",
        ],
        "disputes_v2.list" => &["investigation_status", "reason", "sort_by", "limit", "next_page"],
        "disputes_v3.list" => {
            &["state", "reason", "sort_by", "opened_at_start", "opened_at_end", "closed_at_start"]
        }
        _ => &[],
    };
    let long = "A".repeat(5_000);
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut cases = Vec::new();
    for parameter in parameters {
        for value in
            ["NO_SUCH_VALUE", "-1", "%00", "%FF", "'", "2026-02-30", "99999999999999999999", &long]
        {
            let others: Vec<&str> = query
                .split('&')
                .filter(|part| !part.starts_with(&format!("{parameter}=")))
                .collect();
            let mut request = request.clone();
            request.path = format!("{path}?{}&{parameter}={value}", others.join("&"));
            cases.push((format!("{parameter} is {}", &value[..value.len().min(40)]), request));
        }
    }
    cases
}

/// Forms that are none, or have the wrong things in them.
fn wrong_forms(request: &Request) -> Vec<Case> {
    let form = |disposition: &str, content: &[u8]| {
        let head = format!("--limit\r\nContent-Disposition: {disposition}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n--limit--\r\n"].concat()
    };
    let pdf = b"%PDF-1.4\n%%EOF\n";
    let file = |name: &str| form(&format!("form-data; name=\"file\"; filename=\"{name}\""), pdf);
    let mut cases: Vec<Case> = [
        ("empty", Vec::new()),
        ("no form", b"{}".to_vec()),
        ("half", request.body[..request.body.len() / 2].to_vec()),
        ("no part", b"--limit--\r\n".to_vec()),
        ("another field", form("form-data; name=\"other\"; filename=\"a.pdf\"", pdf)),
        ("no name", form("form-data", pdf)),
        ("no content", form("form-data; name=\"file\"; filename=\"a.pdf\"", b"")),
        ("no such type", form("form-data; name=\"file\"; filename=\"a.exe\"", b"MZ")),
        ("a type it is not", form("form-data; name=\"file\"; filename=\"a.png\"", pdf)),
        ("a path", file("../../etc/passwd.pdf")),
        ("another path", file("..\\\\a.pdf")),
        ("a long name", file(&format!("{}.pdf", "A".repeat(20_000)))),
        ("no UTF-8", form("form-data; name=\"file\"; filename=\"\u{0}.pdf\"", pdf)),
    ]
    .into_iter()
    .map(|(name, body)| (name.to_owned(), request.with_body(body)))
    .collect();
    for media_type in
        ["application/json", "multipart/form-data", "multipart/form-data; boundary=other"]
    {
        cases.push((media_type.to_owned(), request.with_header("content-type", media_type)));
    }
    cases
}

#[tokio::test]
async fn rubbish_is_the_callers_mistake_and_changes_nothing() {
    count_panics();
    for engine in engines().await {
        let world = engine.world().await;
        let own = Belongings::of(&world, &world.merchant, "Zebrafink").await;
        let before = own.read(&world).await;
        let mut faults = Vec::new();
        let mut tried = 0;
        for operation in operations() {
            let request = own.request(operation);
            let mut cases = foreign_ids(operation, &own, &request);
            cases.extend(wrong_queries(operation, &request));
            match operation.takes {
                Takes::Json => {
                    cases.extend(unreadable(&request));
                    cases.extend(spoiled(operation, &request));
                }
                Takes::File => cases.extend(wrong_forms(&request)),
                Takes::Nothing => {}
            }
            for (what, request) in cases {
                tried += 1;
                let reply = request.send(&world, own.caller(operation)).await;
                if let Some(wrong) = wrong_form(operation.api, &reply) {
                    faults.push(format!("{}: {what}: {wrong}", operation.name));
                }
            }
            if own.read(&world).await != before {
                faults.push(format!("{}: something has changed", operation.name));
            }
        }
        assert!(faults.is_empty(), "{} faults of {tried}:\n{}", faults.len(), faults.join("\n"));
        assert_eq!(PANICS.load(Ordering::Relaxed), 0);
        world.stop().await;
    }
}

/// An operation that takes no body is not disturbed by one.
#[tokio::test]
async fn a_body_where_none_belongs_does_no_harm() {
    count_panics();
    let world = World::start().await;
    let own = Belongings::of(&world, &world.merchant, "Zebrafink").await;
    // The call itself is in order, so that it may succeed once.
    for operation in operations().filter(|operation| operation.takes == Takes::Nothing) {
        for (what, body) in [("rubbish", vec![0xff; 100]), ("deep lists", vec![b'['; 100_000])] {
            let request = own.request(operation).with_body(body);
            let request = request.with_header("content-type", "application/json");
            let reply = request.send(&world, own.caller(operation)).await;
            assert!(reply.status < 500, "{} {what}: {reply:?}", operation.name);
        }
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    world.stop().await;
}
