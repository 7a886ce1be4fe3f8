//! The façade for programs without async.

#![cfg(feature = "blocking")]

use std::io::Read as _;

use crate::common::script::{Script, Step};
use klarna::blocking::Blocking;
use klarna::{OrderId, PaymentReference, PayoutFilter};

#[test]
fn calls_lists_and_downloads() {
    let blocking = Blocking::new().unwrap();
    let payouts = r#"{"payouts":[],"pagination":{"count":0}}"#;
    let script = blocking.wait(Script::play([
        Step::Answer(200, "", "[]"),
        Step::Answer(200, "", payouts),
        Step::Answer(200, "", "%PDF-1.7"),
    ]));
    let client = script.client();
    let captures = blocking.wait(client.orders().captures(&OrderId::new("o"))).unwrap();
    assert!(captures.is_empty());
    let items = client.settlements().payouts(&PayoutFilter::new()).items();
    assert_eq!(blocking.iter(items).count(), 0);
    let call = client.settlements().payout_pdf(&PaymentReference::from("R1"));
    let mut text = String::new();
    blocking.reader(blocking.wait(call).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "%PDF-1.7");
}
