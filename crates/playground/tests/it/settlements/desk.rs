//! A merchant's bookkeeper: calls of the Settlements API, and what reports say.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, Method};
use klarna_types::settlements::report::{Format, Reader, Record};
use klarna_types::settlements::{Payout, Transaction};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};

use crate::common::{Merchant, Reply, World};

/// The bookkeeper of one merchant.
#[derive(Debug)]
pub struct Desk<'a> {
    pub world: &'a World,
    pub merchant: &'a Merchant,
    http: HttpClient,
}

/// A payout as a report shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    pub payout: Payout,
    pub rows: Vec<Transaction>,
}

impl<'a> Desk<'a> {
    pub fn new(world: &'a World) -> Self {
        Self::of(world, &world.merchant)
    }

    pub fn of(world: &'a World, merchant: &'a Merchant) -> Self {
        let limits = Limits { body_bytes: 64 * 1024 * 1024, ..Limits::default() };
        Self { world, merchant, http: HttpClient::new(limits) }
    }

    /// Any call below `/settlements/v1`.
    pub async fn ask(&self, path: &str) -> Reply {
        let path = format!("/settlements/v1{path}");
        self.world.call_as(self.merchant, "GET", &path, &Value::Null, &[]).await
    }

    /// JSON that has to be there.
    pub async fn get(&self, path: &str) -> Value {
        let reply = self.ask(path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        assert_eq!(reply.header("content-type"), "application/json");
        reply.json
    }

    /// A file that has to be there, of any length.
    pub async fn file(&self, path: &str, media_type: &str) -> Vec<u8> {
        let url = format!("{}/settlements/v1{path}", self.world.url);
        let mut headers = HeaderMap::new();
        let authorization = HeaderValue::from_str(&self.merchant.authorization).unwrap();
        headers.insert("authorization", authorization);
        let answer = self.http.send(Method::GET, &url, headers, bytes::Bytes::new()).await.unwrap();
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(answer.headers["content-type"], media_type, "{path}");
        answer.body.to_vec()
    }

    /// What a CSV report says.
    pub async fn csv(&self, path: &str) -> Vec<Reported> {
        read_csv(&self.file(path, "text/csv").await, b';', Format::default())
    }

    /// All pages from a first one on, by the links from one to the other.
    pub async fn follow(&self, path: &str, member: &str, link: &str) -> Vec<Vec<Value>> {
        let prefix = format!("{}/settlements/v1", self.world.public_url());
        let mut pages = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await;
            let items = page[member].as_array().unwrap().clone();
            assert_eq!(page["pagination"]["count"], items.len());
            pages.push(items);
            next = page["pagination"]
                .get(link)
                .map(|url| url.as_str().unwrap().strip_prefix(&prefix).unwrap().to_owned());
        }
        pages
    }

    /// All payouts of the merchant, the oldest first.
    pub async fn payouts(&self) -> Vec<Payout> {
        let mut payouts: Vec<Payout> = self
            .follow("/payouts?size=500", "payouts", "next")
            .await
            .concat()
            .into_iter()
            .map(|payout| serde_json::from_value(payout).unwrap())
            .collect();
        payouts.reverse();
        payouts
    }

    /// All transactions of a payout.
    pub async fn rows(&self, payout: &Payout) -> Vec<Transaction> {
        let path = format!("/transactions?size=500&payment_reference={}", payout.payment_reference);
        self.follow(&path, "transactions", "next")
            .await
            .concat()
            .into_iter()
            .map(|row| serde_json::from_value(row).unwrap())
            .collect()
    }

    pub async fn capture(&self, order_id: &str, amount: i64) {
        self.change(
            order_id,
            "captures",
            &json!({ "captured_amount": amount, "reference": "SHIP-1" }),
        )
        .await;
    }

    pub async fn refund(&self, order_id: &str, amount: i64) {
        self.change(
            order_id,
            "refunds",
            &json!({ "refunded_amount": amount, "reference": "BACK-1" }),
        )
        .await;
    }

    async fn change(&self, order_id: &str, what: &str, body: &Value) {
        let path = format!("/ordermanagement/v1/orders/{order_id}/{what}");
        let reply = self.world.call_as(self.merchant, "POST", &path, body, &[]).await;
        assert_eq!(reply.status, 201, "{path} {body}: {reply:?}");
    }

    /// Changes the merchant's terms.
    pub async fn terms(&self, terms: Value) -> Value {
        let body = json!({ "merchant_id": self.merchant.merchant_id, "terms": terms });
        self.world.control("/settlements", &body).await
    }

    /// Books something by hand.
    pub async fn adjust(&self, mut body: Value) {
        body["merchant_id"] = json!(self.merchant.merchant_id);
        self.world.control("/settlements/adjustments", &body).await;
    }

    /// Closes all periods now; the references of the payouts.
    pub async fn close(&self) -> Vec<String> {
        let body = json!({ "merchant_id": self.merchant.merchant_id });
        let closed = self.world.control("/settlements/close", &body).await;
        serde_json::from_value(closed["payouts"].clone()).unwrap()
    }
}

/// Reads a report as an importer does.
pub fn read_csv(text: &[u8], delimiter: u8, format: Format) -> Vec<Reported> {
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text);
    let mut reader = Reader::new(format);
    let mut found: Vec<Reported> = Vec::new();
    for line in lines.records() {
        let cells: Vec<String> = line.unwrap().iter().map(str::to_owned).collect();
        match reader.record(&cells).unwrap() {
            Some(Record::Payout(payout)) => {
                found.push(Reported { payout: *payout, rows: Vec::new() });
            }
            Some(Record::Transaction(row)) => found.last_mut().unwrap().rows.push(*row),
            None => {}
        }
    }
    found
}

/// The lines of text in a PDF, page after page.
pub fn read_pdf(document: &[u8]) -> Vec<String> {
    assert!(document.starts_with(b"%PDF-"));
    let text: String = document.iter().map(|byte| char::from(*byte)).collect();
    text.lines()
        .filter_map(|line| line.strip_suffix(" Tj"))
        .map(|line| {
            let shown = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')).unwrap();
            shown.replace("\\(", "(").replace("\\)", ")")
        })
        .collect()
}

/// The totals that a PDF shows, by label, in minor units; pages of several payouts one after the other.
pub fn pdf_totals(lines: &[String]) -> Vec<BTreeMap<String, String>> {
    let mut pages = Vec::new();
    for line in lines {
        if line == "Settlement report" || line == "Invoice of fees" {
            pages.push(BTreeMap::new());
        } else if let (Some(page), Some((label, value))) =
            (pages.last_mut(), line.split_at_checked(34))
        {
            page.insert(label.trim().to_owned(), value.trim().to_owned());
        }
    }
    pages
}

/// Puts names in the place of what differs from run to run.
pub fn hide(json: &str, names: &[(&str, &str)]) -> String {
    let mut text = json.to_owned();
    for (found, name) in names {
        text = text.replace(found, name);
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

/// A member that is text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}
