//! Customer tokens, hosted payment pages, in-store purchases and settlements against a playground: every operation, and
//! the errors that they are known for.

use std::time::Duration;

use crate::common::world::{World, order_request, session_request};
use klarna::types::customer_token::{CreateTokenOrder, CustomerTokenStatus};
use klarna::types::hosted_payment_page::{
    self as page, ContactInformation, DistributeSession, DistributionMethod, Options,
    PlaceOrderMode, SessionStatus,
};
use klarna::types::in_store::{self, Distribution, DistributionStatus, StoreAddress, StoreInfo};
use klarna::types::order_management::{CreateCapture, CreateRefund};
use klarna::types::payment_requests::{
    CreatePaymentRequest, CustomerInteractionConfig, InteractionMethod, LineItem,
    PaymentRequestState, ProfileScope, ShippingConfig, ShippingMode, StateReason,
    SupplementaryPurchaseData,
};
use klarna::types::payments::{AcquiringChannel, CreateCustomerToken, IntendedUse, Intent};
use klarna::types::settlements::report::Record;
use klarna::types::settlements::{Transaction, TransactionType};
use klarna::{
    Country, Currency, CustomerTokenId, Error, ErrorCode, HostedSessionId, IdempotencyKey,
    MinorUnits, OrderLine, Patience, PaymentReference, PayoutFilter, Period, SessionId, TaxRate,
    TransactionFilter,
};
use serde_json::{Value, json};

/// Status and code of an error.
fn line(error: &Error) -> String {
    let status = error.status().map_or(0, |status| status.as_u16());
    format!("{status} {}", error.code().map_or("-", ErrorCode::as_str))
}

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

// --- Customer tokens

async fn customer_token(world: &World) -> CustomerTokenId {
    let payments = world.client.payments();
    let request = session_request().intent(Intent::BuyAndTokenize);
    let session = payments.create_session(&request).await.unwrap();
    let token = world.authorize(&session, json!({})).await;
    let request = CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Kaffe",
        IntendedUse::Subscription,
    );
    let created = payments.create_customer_token(&token, &request).await.unwrap();
    payments.create_order(&token, &order_request()).await.unwrap();
    created.token_id.clone()
}

fn charge() -> CreateTokenOrder {
    let line = OrderLine::new("Kaffe", 1, minor(10_000), minor(10_000))
        .tax_rate(TaxRate::percent(25))
        .total_tax_amount(minor(2_000));
    CreateTokenOrder::new(Currency::SEK, minor(10_000), minor(2_000), vec![line])
}

#[tokio::test]
async fn a_token_is_charged_once_for_each_key_and_cancelled() {
    let world = World::start().await;
    let tokens = world.client.customer_tokens();
    let token = customer_token(&world).await;
    assert_eq!(tokens.get(&token).await.unwrap().status, CustomerTokenStatus::Active);
    let key = IdempotencyKey::parse("2031-05").unwrap();
    let call = || tokens.charge(&token, &charge()).idempotency_key(key.clone());
    let first = call().send().await.unwrap();
    let again = call().send().await.unwrap();
    assert_eq!(first.order_id, again.order_id);
    let next = tokens.charge(&token, &charge()).await.unwrap();
    assert_ne!(first.order_id, next.order_id);
    // It is an order like any other.
    let order = world.client.orders().get(&first.order_id).await.unwrap();
    assert_eq!(order.remaining_authorized_amount, minor(10_000));
    tokens.cancel(&token).await.unwrap();
    assert_eq!(tokens.get(&token).await.unwrap().status, CustomerTokenStatus::Cancelled);
    assert_eq!(line(&tokens.charge(&token, &charge()).await.unwrap_err()), "403 TOKEN_CANCELED");
    world.stop().await;
}

#[tokio::test]
async fn charges_are_refused_with_reasons() {
    let world = World::start().await;
    let tokens = world.client.customer_tokens();
    let token = customer_token(&world).await;
    let path = format!("/customer-tokens/{token}");
    for code in ["PAYMENT_METHOD_FAILED", "UNAVAILABLE_PAYMENT_METHOD"] {
        let plan = json!({ "action": "fail_next", "error_code": code });
        world.control(&path, &plan).await;
        let error = tokens.charge(&token, &charge()).await.unwrap_err();
        assert_eq!(line(&error), format!("403 {code}"));
        assert!(error.body().reason.is_some() && error.body().fraud_status.is_some());
        assert!(!error.is_retryable() && !error.outcome_unknown());
    }
    // An outage is outlived under the same key.
    let outage = json!({ "action": "fail_next", "times": 2, "error_code": "SERVICE_UNAVAILABLE" });
    world.control(&path, &outage).await;
    assert_eq!(tokens.charge(&token, &charge()).await.unwrap().meta().tries, 3);
    world.control(&path, &json!({ "action": "suspend" })).await;
    assert_eq!(line(&tokens.charge(&token, &charge()).await.unwrap_err()), "403 TOKEN_SUSPENDED");
    // Unknown, and someone else's.
    let unknown = CustomerTokenId::new("00000000-0000-4000-8000-000000000000");
    for (client, id) in [(&world.client, &unknown), (&world.stranger, &token)] {
        let tokens = client.customer_tokens();
        assert!(tokens.get(id).await.unwrap_err().is_not_found());
        assert!(tokens.cancel(id).await.unwrap_err().is_not_found());
        // That it exists at another merchant is told only to whoever charges it.
        let refused = tokens.charge(id, &charge()).await.unwrap_err();
        assert!(matches!(line(&refused).as_str(), "404 TOKEN_NOT_FOUND" | "403 TOKEN_CANCELED"));
    }
    // What is wrong with a charge is explained.
    let mut wrong = charge();
    wrong.order_lines[0].total_tax_amount = Some(minor(1));
    world.control(&path, &json!({ "action": "activate" })).await;
    let error = tokens.charge(&token, &wrong).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE");
    assert!(!error.problems().is_empty());
    world.stop().await;
}

// --- Hosted payment pages

async fn hosted(world: &World, mode: PlaceOrderMode) -> page::CreatedSession {
    let session = world.client.payments().create_session(&session_request()).await.unwrap();
    let url = world.client.payments().session_url(&session.session_id);
    let request = page::CreateSession::new(url).options(Options::new().place_order_mode(mode));
    world.client.hosted_payment_page().create(&request).await.unwrap().into_inner()
}

async fn on_page(world: &World, id: &HostedSessionId, action: &str) -> Value {
    let shopper = json!({
        "hpp_session_id": id, "action": action, "email": "customer@email.se"
    });
    world.control("/shopper/hosted", &shopper).await
}

#[tokio::test]
async fn a_hosted_page_places_the_order_or_gives_the_token() {
    let world = World::start().await;
    let pages = world.client.hosted_payment_page();
    let created = hosted(&world, PlaceOrderMode::CaptureOrder).await;
    let id = &created.session_id;
    assert!(created.redirect_url.is_some() && created.expires_at.is_some());
    assert_eq!(pages.get(id).await.unwrap().status, SessionStatus::Waiting);
    on_page(&world, id, "open").await;
    let watch = pages.watch(id);
    on_page(&world, id, "approve").await;
    let done = watch.outcome().await.unwrap();
    assert_eq!(done.status, SessionStatus::Completed);
    let order = world.client.orders().get(done.order_id.as_ref().unwrap()).await.unwrap();
    assert_eq!(order.captured_amount, minor(10_000));
    // The merchant places it himself.
    let created = hosted(&world, PlaceOrderMode::None).await;
    on_page(&world, &created.session_id, "approve").await;
    let read = pages.get(&created.session_id).await.unwrap();
    let token = read.authorization_token.as_ref().unwrap();
    world.client.payments().create_order(token, &order_request()).await.unwrap();
    // What is over cannot be switched off.
    assert_eq!(pages.disable(&created.session_id).await.unwrap_err().status().unwrap(), 400);
    world.stop().await;
}

#[tokio::test]
async fn a_hosted_page_is_switched_off_sent_and_missed() {
    let world = World::start().await;
    let pages = world.client.hosted_payment_page();
    let created = hosted(&world, PlaceOrderMode::PlaceOrder).await;
    let id = &created.session_id;
    let contact = ContactInformation::new().email("shopper@example.com");
    let message = DistributeSession::new(DistributionMethod::Email, contact);
    pages.distribute(id, &message).await.unwrap();
    let nobody = DistributeSession::new(DistributionMethod::Email, ContactInformation::new());
    let error = pages.distribute(id, &nobody).await.unwrap_err();
    assert_eq!(line(&error), "400 MISSING_CONTACT_DATA");
    pages.disable(id).await.unwrap();
    pages.disable(id).await.unwrap();
    assert_eq!(pages.get(id).await.unwrap().status, SessionStatus::Disabled);
    assert_eq!(pages.distribute(id, &message).await.unwrap_err().status().unwrap(), 400);
    // Unknown, someone else's, and too late.
    let unknown = HostedSessionId::new("00000000-0000-4000-8000-000000000000");
    let late = hosted(&world, PlaceOrderMode::PlaceOrder).await.session_id;
    world.advance("P2D").await;
    for (client, id) in [(&world.client, &unknown), (&world.stranger, id), (&world.client, &late)] {
        let pages = client.hosted_payment_page();
        assert!(pages.get(id).await.unwrap_err().is_not_found());
        assert!(pages.disable(id).await.unwrap_err().is_not_found());
        assert!(pages.distribute(id, &message).await.unwrap_err().is_not_found());
    }
    let error = pages.create(&page::CreateSession::new("https://shop.example/")).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE");
    world.stop().await;
}

// --- In-store

async fn at_till(world: &World) -> SessionId {
    let address = StoreAddress::new()
        .street_address("Sveavägen")
        .street_number("46")
        .postal_code("11134")
        .city("Stockholm")
        .country("SE");
    let request = session_request()
        .acquiring_channel(AcquiringChannel::InStore)
        .distribution(Distribution::new(in_store::DistributionMethod::OneQr))
        .attachment(StoreInfo::new("STO-7", "POS1232", address).attachment());
    let session = world.client.payments().create_session(&request).await.unwrap();
    let url = session.distribution.as_ref().unwrap().result_url.as_ref().unwrap();
    let result = world.client.in_store().result_at(url).await.unwrap();
    assert!(result.qr.is_some() && result.payment_link.is_some());
    session.session_id.clone()
}

#[tokio::test]
async fn an_in_store_purchase_is_paid_or_called_off() {
    let world = World::start().await;
    let till = world.client.in_store();
    let id = at_till(&world).await;
    let link = till.result(&id).await.unwrap().payment_link.clone().unwrap();
    let patience = Patience { first: Duration::from_millis(1), ..Patience::default() };
    let mut watch = till.watch(&id).patience(patience);
    let first = watch.next().await.unwrap().unwrap();
    assert_eq!(first.status, Some(DistributionStatus::Distributed));
    let pay = json!({ "url": link, "action": "approve", "email": "customer@email.se" });
    world.control("/shopper/hosted", &pay).await;
    let paid = watch.outcome().await.unwrap();
    assert_eq!(paid.status, Some(DistributionStatus::Completed));
    assert!(paid.klarna_reference.is_some());
    let order_id = paid.order_id.clone().unwrap();
    world.client.orders().capture(&order_id, &CreateCapture::new(minor(10_000))).await.unwrap();
    assert_eq!(till.cancel(&id).await.unwrap_err().status().unwrap(), 409);

    let id = at_till(&world).await;
    till.cancel(&id).await.unwrap();
    let result = till.watch(&id).outcome().await.unwrap();
    assert_eq!(result.status, Some(DistributionStatus::Canceled));
    let unknown = SessionId::new("00000000-0000-4000-8000-000000000000");
    for (client, id) in [(&world.client, &unknown), (&world.stranger, &id)] {
        assert!(client.in_store().result(id).await.unwrap_err().is_not_found());
        assert!(client.in_store().cancel(id).await.unwrap_err().is_not_found());
    }
    world.stop().await;
}

// --- Settlements

/// Orders that are captured, some refunded, and paid out.
async fn paid_out(world: &World, orders: usize) -> PaymentReference {
    for number in 0..orders {
        let id = world.order().await;
        world.client.orders().capture(&id, &CreateCapture::new(minor(10_000))).await.unwrap();
        if number % 2 == 1 {
            world.client.orders().refund(&id, &CreateRefund::new(minor(2_500))).await.unwrap();
        }
    }
    let request = json!({ "merchant_id": "K123456" });
    let closed = world.control("/settlements/close", &request).await;
    PaymentReference::from(closed["payouts"][0].as_str().unwrap())
}

fn sum(rows: &[Transaction]) -> i64 {
    let vat = |row: &Transaction| row.vat_amount.map_or(0, MinorUnits::get);
    rows.iter()
        .map(|row| match row.kind {
            TransactionType::Fee => -row.amount.get() - vat(row),
            _ => row.signed_amount().unwrap().get(),
        })
        .sum()
}

#[tokio::test]
async fn a_payout_says_the_same_in_every_way() {
    let world = World::start().await;
    let settlements = world.client.settlements();
    let reference = paid_out(&world, 5).await;
    let payout = settlements.payout(&reference).await.unwrap();
    assert_eq!(payout.totals.sale_amount, minor(50_000));
    assert_eq!(payout.totals.return_amount, minor(5_000));
    assert_eq!(
        payout.totals.settlement_by_formula(&payout.merchant_settlement_type),
        Some(payout.totals.settlement_amount)
    );
    // Page by page, over more pages than one.
    let filter = TransactionFilter::of_payout(&reference).size(3);
    let one = settlements.transactions(&filter).await.unwrap();
    assert_eq!(one.transactions.len(), 3);
    let listed = settlements.transactions(&filter).items().collect().await.unwrap();
    assert!(listed.len() > 3);
    assert_eq!(sum(&listed), payout.totals.settlement_amount.get());
    // Row by row.
    let mut rows = Vec::new();
    let mut stream = settlements.payout_rows(&reference);
    while let Some(record) = stream.next().await {
        match record.unwrap() {
            Record::Payout(found) => {
                assert_eq!(found.totals.settlement_amount, payout.totals.settlement_amount);
            }
            Record::Transaction(row) => rows.push(*row),
        }
    }
    assert_eq!(rows.len(), listed.len());
    assert_eq!(sum(&rows), sum(&listed));
    // As a document.
    let document = settlements.payout_pdf(&reference).await.unwrap();
    assert_eq!(document.content_type(), Some("application/pdf"));
    assert!(document.bytes(1_000_000).await.unwrap().starts_with(b"%PDF"));
    let filter = TransactionFilter::of_order(listed[0].order_id.as_ref().unwrap());
    assert!(!settlements.transactions(&filter).items().collect().await.unwrap().is_empty());
    world.stop().await;
}

#[tokio::test]
async fn payouts_of_a_span() {
    let world = World::start().await;
    let settlements = world.client.settlements();
    for _ in 0..3 {
        paid_out(&world, 1).await;
        world.advance("P1D").await;
    }
    let whole = Period::new(
        "2026-01-01T00:00:00Z".parse().unwrap(),
        "2026-12-31T23:59:59Z".parse().unwrap(),
    );
    let filter = PayoutFilter::new().period(whole).currency_code(Currency::SEK).size(1);
    let payouts = settlements.payouts(&filter).items().collect().await.unwrap();
    assert_eq!(payouts.len(), 3);
    let total: i64 = payouts.iter().map(|payout| payout.totals.settlement_amount.get()).sum();
    let summary = settlements.summary(whole, None).await.unwrap();
    assert_eq!(summary[0].summary_total_settlement_amount, minor(total));
    let mut rows = settlements.rows(whole);
    let mut found = 0;
    while let Some(record) = rows.next().await {
        found += usize::from(matches!(record.unwrap(), Record::Payout(_)));
    }
    assert_eq!(found, 3);
    let csv = settlements.payouts_csv(whole).await.unwrap();
    assert!(csv.content_type().unwrap().starts_with("text/csv"));
    assert!(!csv.bytes(1_000_000).await.unwrap().is_empty());
    let document = settlements.payouts_pdf(whole).await.unwrap();
    assert!(document.bytes(1_000_000).await.unwrap().starts_with(b"%PDF"));
    let nothing = PayoutFilter::new().currency_code(Currency::EUR);
    assert_eq!(settlements.payouts(&nothing).items().collect().await.unwrap(), []);
    world.stop().await;
}

#[tokio::test]
async fn settlements_that_are_not_there() {
    let world = World::start().await;
    let reference = paid_out(&world, 1).await;
    let unknown = PaymentReference::from("NOTHING1");
    for (client, reference) in [(&world.client, &unknown), (&world.stranger, &reference)] {
        let settlements = client.settlements();
        assert!(settlements.payout(reference).await.unwrap_err().is_not_found());
        assert!(settlements.payout_csv(reference).await.unwrap_err().is_not_found());
        assert!(settlements.payout_pdf(reference).await.unwrap_err().is_not_found());
        let error = settlements.payout_rows(reference).next().await.unwrap().unwrap_err();
        assert!(error.is_not_found() && error.correlation_id().is_some());
    }
    let strange = world.stranger.settlements();
    let none = strange.payouts(&PayoutFilter::new()).items().collect().await.unwrap();
    assert_eq!(none, []);
    let too_many = PayoutFilter::new().size(501);
    let error = world.client.settlements().payouts(&too_many).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
    world.stop().await;
}

// --- Payment requests

#[tokio::test]
async fn a_payment_is_asked_for_read_watched_and_called_off() {
    let world = World::start().await;
    let requests = world.client.payment_requests();
    let mugs = LineItem::new("Mugg", 2_u32, minor(19_800)).total_tax_amount(minor(3_960));
    let ask = CreatePaymentRequest::new(Currency::SEK)
        .amount(minor(19_800))
        .locale("sv-SE")
        .payment_request_reference("WEB-1001")
        .customer_interaction_config(
            CustomerInteractionConfig::new()
                .method(InteractionMethod::Handover)
                .return_url("https://shop.example/back"),
        )
        .collect_customer_profile([ProfileScope::Email, ProfileScope::BillingAddress])
        .shipping_config(ShippingConfig::new().mode(ShippingMode::Editable))
        .supplementary_purchase_data(SupplementaryPurchaseData::new().line_items([mugs]));
    let made = requests.create(&ask).await.unwrap();
    assert_eq!(made.state, PaymentRequestState::Submitted);
    assert_eq!(made.payment_request_reference.as_deref(), Some("WEB-1001"));
    assert!(made.url().unwrap().contains("/requests/"), "{made:?}");
    let id = &made.payment_request_id;
    assert_eq!(*requests.get(id).await.unwrap(), *made);
    // Whose it is not does not see it.
    let error = world.stranger.payment_requests().get(id).await.unwrap_err();
    assert_eq!(line(&error), "404 RESOURCE_NOT_FOUND");
    let canceled = requests.cancel(id).await.unwrap();
    assert_eq!(canceled.state, PaymentRequestState::Canceled);
    assert_eq!(canceled.state_reason, Some(StateReason::PartnerCanceled));
    assert_eq!((canceled.url(), canceled.order_token()), (None, None));
    let outcome = requests.watch(id).outcome().await.unwrap();
    assert_eq!(outcome.state, PaymentRequestState::Canceled);
    let error = requests.cancel(id).await.unwrap_err();
    assert_eq!((line(&error), error.outcome_unknown()), ("409 RESOURCE_CONFLICT".into(), false));
    // Nobody comes.
    let left = requests.create(&CreatePaymentRequest::new(Currency::SEK).amount(minor(1))).await;
    world.advance("PT3H").await;
    let left = requests.get(&left.unwrap().payment_request_id).await.unwrap();
    assert_eq!(left.state, PaymentRequestState::Expired);
    // Every member that is wrong is named.
    let odd = LineItem::new("", 0_u32, minor(5));
    let ask = ask.supplementary_purchase_data(SupplementaryPurchaseData::new().line_items([odd]));
    let error = requests.create(&ask).await.unwrap_err();
    assert_eq!(line(&error), "400 VALIDATION_ERROR");
    let wrong = error.network_body().validation_errors;
    let wrong: Vec<_> = wrong.iter().map(|each| each.parameter.as_str()).collect();
    assert!(wrong.contains(&"supplementary_purchase_data.line_items[0].quantity"), "{wrong:?}");
    world.stop().await;
}
