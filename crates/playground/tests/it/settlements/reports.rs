//! Reports: what merchants configure, and what files look like.

use klarna_types::settlements::report::{AmountFormat, DateFormat, Format};
use serde_json::json;

use crate::common::{Purchase, World};
use crate::settlements::desk::{Desk, pdf_totals, read_csv, read_pdf, text};

#[tokio::test]
async fn a_report_is_written_as_documented() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    let purchase = Purchase {
        order_extra: json!({ "merchant_reference2": "semi;colon \"quoted\"" }),
        ..Purchase::of(100_000)
    };
    let order_id = world.order(&purchase).await;
    desk.capture(&order_id, 60_000).await;
    // Rows of one instant have no order of their own.
    world.advance("PT1S").await;
    desk.refund(&order_id, 20_000).await;
    let reference = desk.close().await.remove(0);
    let order =
        world.call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &json!(null)).await;
    let capture_id = text(&order.json["captures"][0]["capture_id"]);
    let refund_id = text(&order.json["refunds"][0]["refund_id"]);
    let klarna_reference = text(&order.json["klarna_reference"]);
    let names = [
        (reference.as_str(), "XISA93DJ"),
        (order_id.as_str(), "{order_id}"),
        (klarna_reference.as_str(), "9875QW2"),
        (capture_id.as_str(), "{capture_id}"),
        (refund_id.as_str(), "{refund_id}"),
    ];
    let clean =
        |text: String| names.iter().fold(text, |text, (found, name)| text.replace(found, name));
    let path = format!("/reports/payout-with-transactions?payment_reference={reference}");
    let reply = desk.ask(&path).await;
    assert_eq!(
        reply.header("content-disposition"),
        format!("attachment; filename=\"settlement.{reference}.csv\"")
    );
    insta::assert_snapshot!("a_csv_report", clean(reply.text));

    desk.terms(json!({ "reports": {
        "summary": "older", "delimiter": "\t", "dates": "spaced", "amounts": "comma",
        "columns": ["amount", "type", "vat_amount", "initial_payment_method_type"],
        "pdf_details": true,
    } }))
    .await;
    let file = desk.file(&path, "text/csv").await;
    insta::assert_snapshot!(
        "a_csv_report_by_choice",
        clean(String::from_utf8(file.clone()).unwrap())
    );
    let format = Format { dates: DateFormat::Spaced, amounts: AmountFormat::Comma };
    let read = read_csv(&file, b'\t', format);
    assert_eq!(read[0].rows.len(), 4);
    assert_eq!(read[0].payout.totals.sale_amount.get(), 60_000);

    let path = format!("/reports/payout?payment_reference={reference}");
    let reply = desk.ask(&path).await;
    assert_eq!(
        reply.header("content-disposition"),
        format!("attachment; filename=\"settlement.{reference}.pdf\"")
    );
    let lines = read_pdf(&desk.file(&path, "application/pdf").await);
    insta::assert_snapshot!("a_pdf_report", clean(lines.join("\n")));
    world.stop().await;
}

#[tokio::test]
async fn a_long_pdf_has_many_pages_and_a_range_has_a_page_for_each_payout() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    desk.terms(json!({ "reports": { "pdf_details": true } })).await;
    let order_id = world.order(&Purchase::of(100_000)).await;
    for _ in 0..30 {
        desk.capture(&order_id, 100).await;
    }
    world.advance("P1D").await;
    desk.capture(&order_id, 100).await;
    world.advance("P1D").await;
    let payouts = desk.payouts().await;
    let path = format!("/reports/payout?payment_reference={}", payouts[0].payment_reference);
    let document = desk.file(&path, "application/pdf").await;
    let lines = read_pdf(&document);
    assert_eq!(lines.iter().filter(|line| *line == "Transactions").count(), 2);
    assert_eq!(lines.iter().filter(|line| line.contains(" SALE ")).count(), 30);
    let text = String::from_utf8_lossy(&document).into_owned();
    assert!(text.contains("/Count 3"), "three pages");
    let range = "start_date=2026-03-01&end_date=2026-03-31";
    let path = format!("/reports/payouts-summary?{range}");
    let pages = pdf_totals(&read_pdf(&desk.file(&path, "application/pdf").await));
    let references: Vec<_> = pages.iter().map(|page| page["Payment reference"].clone()).collect();
    let expected: Vec<_> =
        payouts.iter().map(|payout| payout.payment_reference.to_string()).collect();
    assert_eq!(references, expected);
    let csv = desk.csv(&format!("/reports/payouts-summary-with-transactions?{range}")).await;
    let references: Vec<_> =
        csv.iter().map(|reported| reported.payout.payment_reference.to_string()).collect();
    assert_eq!(references, expected);
    // An empty range: an empty file, and a page that says so.
    let none = "start_date=2025-03-01&end_date=2025-03-31";
    let path = format!("/reports/payouts-summary-with-transactions?{none}");
    assert_eq!(desk.file(&path, "text/csv").await, b"");
    let lines =
        read_pdf(&desk.file(&format!("/reports/payouts-summary?{none}"), "application/pdf").await);
    assert_eq!(lines, ["Settlement report", "No payouts in this period."]);
    world.stop().await;
}
