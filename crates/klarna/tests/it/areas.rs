//! What the calls of the newer areas send, how their answers and errors are read, and which of them are repeated.

use std::time::Duration;

use crate::common::script::{Script, Seen, Step};
use klarna::retry::Repeat;
use klarna::types::customer_token::{CreateTokenOrder, StepUp};
use klarna::types::disputes::v2::{DisputeKrn, NewResponse};
use klarna::types::disputes::{
    Appeal, AttachmentReference, DisputeSort, DisputeState, EnrollPartner, ListDisputes,
    NetworkErrorCode, NetworkErrorType, PaymentDisputeAttachmentId, PaymentDisputeId, Represent,
};
use klarna::types::hosted_payment_page::{
    ContactInformation, CreateSession, DistributeSession, DistributionMethod, SessionStatus,
};
use klarna::types::in_store::DistributionStatus;
use klarna::types::payments::FraudStatus;
use klarna::{
    Credentials, Currency, CustomerTokenId, Error, ErrorCode, ErrorKind, HostedSessionId,
    IdempotencyKey, MerchantId, MinorUnits, OrderId, OrderLine, Patience, PaymentReference,
    PayoutFilter, Period, SessionId, TransactionFilter, Upload,
};

const NOTHING: Step = Step::Answer(204, "", "");
const UNAVAILABLE: Step = Step::Answer(503, "", "");

const fn ok(body: &'static str) -> Step {
    Step::Answer(200, "", body)
}

fn lines(script: &Script) -> Vec<String> {
    script.seen().into_iter().map(|seen| seen.line).collect()
}

fn only(script: &Script) -> Seen {
    let mut seen = script.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

fn token() -> CustomerTokenId {
    CustomerTokenId::new("t-1")
}

fn charge() -> CreateTokenOrder {
    let line = OrderLine::new("Kaffe", 1, MinorUnits::new(100), MinorUnits::new(100));
    CreateTokenOrder::new(Currency::SEK, MinorUnits::new(100), MinorUnits::new(0), vec![line])
}

fn hosted() -> HostedSessionId {
    HostedSessionId::new("h-1")
}

fn dispute() -> PaymentDisputeId {
    PaymentDisputeId::new("krn:network:us1:live:payment:dispute:516")
}

fn krn() -> DisputeKrn {
    DisputeKrn::new("krn:klarna:eu1:dispute:return:266091")
}

fn april() -> Period {
    Period::days(jiff::civil::date(2026, 4, 1), jiff::civil::date(2026, 4, 30)).unwrap()
}

const DISPUTE: &str = "/v4/payment/disputes/krn:network:us1:live:payment:dispute:516";
const KRN: &str = "/disputes/v2/disputes/krn:klarna:eu1:dispute:return:266091";

// --- Customer tokens

#[tokio::test]
async fn a_charge_keeps_its_key_over_its_tries() {
    let created = ok(r#"{"order_id":"o-1","fraud_status":"ACCEPTED"}"#);
    let service_unavailable =
        Step::Answer(503, "", r#"{"error_code":"SERVICE_UNAVAILABLE","error_messages":[]}"#);
    let script = Script::play([Step::Close, service_unavailable, created]).await;
    let client = script.client();
    let order = client.customer_tokens().charge(&token(), &charge()).await.unwrap();
    assert_eq!((order.order_id.as_str(), order.meta().tries), ("o-1", 3));
    let keys: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| {
            assert_eq!(seen.line, "POST /customer-token/v1/tokens/t-1/order");
            seen.header("klarna-idempotency-key").unwrap().to_owned()
        })
        .collect();
    assert!(keys.iter().all(|key| *key == keys[0]));
    // One's own key, made of what is charged for.
    let script = Script::play([ok(r#"{"order_id":"o-1"}"#)]).await;
    let key = IdempotencyKey::parse("sub-22-2031-05").unwrap();
    let client = script.client();
    client.customer_tokens().charge(&token(), &charge()).idempotency_key(key).send().await.unwrap();
    assert_eq!(only(&script).header("klarna-idempotency-key"), Some("sub-22-2031-05"));
}

#[tokio::test]
async fn a_refused_charge_says_why_and_how_it_is_recovered() {
    let refused = r#"{"error_code":"PAYMENT_METHOD_FAILED","error_messages":["Purchase for payment method failed"],
        "correlation_id":"c-1","fraud_status":"REJECTED","reason":"Purchase for payment method failed",
        "authorized_payment_method":{"type":"card"},"step_up_id":"step-1"}"#;
    let script = Script::play([Step::Answer(403, "", refused)]).await;
    let request = charge().step_up(StepUp::Supported);
    let error = script.client().customer_tokens().charge(&token(), &request).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::PaymentMethodFailed));
    let body = error.body();
    assert_eq!(body.fraud_status, Some(FraudStatus::Rejected));
    assert_eq!(body.reason.as_deref(), Some("Purchase for payment method failed"));
    assert_eq!(body.step_up_id.as_deref(), Some("step-1"));
    assert_eq!(error.correlation_id().unwrap().as_str(), "c-1");
    assert!(!error.outcome_unknown() && !error.is_retryable());
}

#[tokio::test]
async fn a_token_is_read_and_cancelled() {
    let script = Script::play([
        ok(r#"{"status":"ACTIVE","payment_method_type":"CARD","card":{"brand":"VISA","expiry_date":"01/2030","masked_number":"****1111"}}"#),
        UNAVAILABLE,
        Step::Answer(202, "", ""),
    ])
    .await;
    let client = script.client();
    let read = client.customer_tokens().get(&token()).await.unwrap();
    assert_eq!(read.card.as_ref().unwrap().brand, "VISA");
    // Cancelled twice is cancelled, so it is tried again.
    client.customer_tokens().cancel(&token()).await.unwrap();
    let status = "PATCH /customer-token/v1/tokens/t-1/status";
    assert_eq!(lines(&script), ["GET /customer-token/v1/tokens/t-1", status, status]);
    assert_eq!(script.seen()[2].body, r#"{"status":"CANCELLED"}"#);
}

// --- Hosted payment page

#[tokio::test]
async fn a_hosted_page_from_its_opening_to_its_end() {
    let session = r#"{"session_id":"h-1","status":"IN_PROGRESS"}"#;
    let script = Script::play([
        UNAVAILABLE,
        Step::Answer(201, "", r#"{"session_id":"h-1","redirect_url":"https://pay/h-1"}"#),
        ok(session),
        NOTHING,
    ])
    .await;
    let client = script.client();
    let url = client.payments().session_url(&SessionId::new("s-1"));
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/payments/v1/sessions/s-1"));
    let created = client.hosted_payment_page().create(&CreateSession::new(url)).await.unwrap();
    assert_eq!(created.redirect_url.as_deref(), Some("https://pay/h-1"));
    let read = client.hosted_payment_page().get(&created.session_id).await.unwrap();
    assert_eq!(read.status, SessionStatus::InProgress);
    client.hosted_payment_page().disable(&hosted()).await.unwrap();
    assert_eq!(
        lines(&script)[1..],
        ["POST /hpp/v1/sessions", "GET /hpp/v1/sessions/h-1", "DELETE /hpp/v1/sessions/h-1"]
    );
}

#[tokio::test]
async fn a_message_is_not_sent_twice_unless_one_says_so() {
    let contact = ContactInformation::new().email("shopper@example.com");
    let request = DistributeSession::new(DistributionMethod::Email, contact);
    let script = Script::play([UNAVAILABLE]).await;
    let client = script.client();
    let pages = client.hosted_payment_page();
    let error = pages.distribute(&hosted(), &request).await.unwrap_err();
    assert!(error.outcome_unknown() && !error.is_retryable());
    let script = Script::play([UNAVAILABLE, NOTHING]).await;
    let client = script.client();
    let call = client.hosted_payment_page().distribute(&hosted(), &request);
    assert_eq!(call.repeat(Repeat::Safe).send().await.unwrap().meta().tries, 2);
    assert_eq!(lines(&script)[1], "POST /hpp/v1/sessions/h-1/distribution");
    // What is wrong with the contact is told.
    let refused = r#"{"error_code":"MISSING_CONTACT_DATA","error_messages":[]}"#;
    let script = Script::play([Step::Answer(400, "", refused)]).await;
    let client = script.client();
    let error = client.hosted_payment_page().distribute(&hosted(), &request).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::MissingContactData));
}

// --- In-store

#[tokio::test]
async fn a_result_is_found_by_id_and_by_the_url_that_klarna_gave() {
    let result = ok(r#"{"session_id":"s-1","status":"DISTRIBUTED","payment_link":"https://p/1"}"#);
    let script = Script::play([result.clone(), result, NOTHING]).await;
    let client = script.client();
    let read = client.in_store().result(&SessionId::new("s-1")).await.unwrap();
    assert_eq!(read.status, Some(DistributionStatus::Distributed));
    // Whatever its host: credentials go to our own.
    let url = "https://elsewhere.example/iss/v1/distributions/s-1";
    client.in_store().result_at(url).await.unwrap();
    client.in_store().cancel(&SessionId::new("s-1")).await.unwrap();
    let result = "GET /iss/v1/distributions/s-1";
    assert_eq!(lines(&script), [result, result, "DELETE /payments/v1/sessions/s-1"]);
    for url in ["", "https://api.klarna.com/ordermanagement/v1/orders/s-1", "/iss/v1/x/../s-1"] {
        let error = client.in_store().result_at(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
    }
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn an_in_store_purchase_is_watched_until_it_is_decided() {
    let at = |status: &'static str| match status {
        "DISTRIBUTED" => ok(r#"{"session_id":"s-1","status":"DISTRIBUTED"}"#),
        "ACCESSED" => ok(r#"{"session_id":"s-1","status":"ACCESSED"}"#),
        "FAILED" => ok(r#"{"session_id":"s-1","status":"FAILED","error":{"code":"BAD_REQUEST"}}"#),
        _ => ok(r#"{"session_id":"s-1","status":"COMPLETED","order_id":"o-1"}"#),
    };
    let patience = Patience {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(4),
        timeout: Duration::from_secs(60),
    };
    let id = SessionId::new("s-1");
    // Only changes are told, and a look that fails is made again.
    let steps = ["DISTRIBUTED", "DISTRIBUTED", "DISTRIBUTED", "ACCESSED", "ACCESSED"];
    let steps = steps.map(at).into_iter().chain([UNAVAILABLE, at("FAILED"), at("COMPLETED")]);
    let script = Script::play(steps).await;
    let mut watch = script.client().in_store().watch(&id).patience(patience);
    let mut seen = Vec::new();
    while let Some(change) = watch.next().await {
        seen.push(change.unwrap().status.clone().unwrap().to_string());
    }
    assert_eq!(seen, ["DISTRIBUTED", "ACCESSED", "FAILED", "COMPLETED"]);
    // A till waits for what is decided, a failure included.
    let script = Script::play(["DISTRIBUTED", "FAILED"].map(at)).await;
    let failed = script.client().in_store().watch(&id).patience(patience).outcome().await.unwrap();
    assert_eq!(failed.status, Some(DistributionStatus::Failed));
    // Patience ends.
    let script = Script::play(std::iter::repeat_n(at("DISTRIBUTED"), 100)).await;
    let patience = Patience { timeout: Duration::from_millis(40), ..patience };
    let watch = script.client().in_store().watch(&id).patience(patience);
    let error = watch.outcome().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // What is unknown is not watched.
    let gone = r#"{"error_code":"NOT_FOUND","error_messages":[]}"#;
    let script = Script::play([Step::Answer(404, "", gone)]).await;
    let error = script.client().in_store().watch(&id).outcome().await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn a_hosted_page_is_watched_likewise() {
    let script = Script::play([
        ok(r#"{"session_id":"h-1","status":"WAITING"}"#),
        ok(r#"{"session_id":"h-1","status":"FAILED"}"#),
        ok(r#"{"session_id":"h-1","status":"COMPLETED","authorization_token":"a-1"}"#),
    ])
    .await;
    let patience = Patience { first: Duration::from_millis(1), ..Patience::default() };
    let client = script.client();
    let watch = client.hosted_payment_page().watch(&hosted()).patience(patience);
    let done = watch.outcome().await.unwrap();
    assert_eq!(done.authorization_token.as_ref().unwrap().expose(), "a-1");
}

// --- Settlements

const PAYOUT: &str = r#"{"totals":{"settlement_amount":1},"payment_reference":"R1","payout_date":"2026-04-02T00:00:00Z",
    "currency_code":"SEK","merchant_settlement_type":"NET","merchant_id":"K1"}"#;

fn page(next: &str) -> Step {
    let next =
        if next.is_empty() { String::new() } else { format!(r#","next":"{next}","prev":null"#) };
    let body = format!(r#"{{"payouts":[{PAYOUT}],"pagination":{{"count":1,"total":3{next}}}}}"#);
    Step::Answer(200, "", Box::leak(body.into_boxed_str()))
}

#[tokio::test]
async fn pages_follow_each_other_on_our_own_host() {
    let elsewhere = "https://api.klarna.com/settlements/v1/payouts?size=1&offset=1";
    let script = Script::play([
        page(elsewhere),
        UNAVAILABLE,
        page("/settlements/v1/payouts?size=1&offset=2"),
        page(""),
    ])
    .await;
    let client = script.client();
    let filter = PayoutFilter::new().period(april()).currency_code(Currency::SEK).size(1);
    let mut items = client.settlements().payouts(&filter).items();
    let mut count = 0;
    while let Some(payout) = items.next().await {
        assert_eq!(payout.unwrap().payment_reference.as_str(), "R1");
        count += 1;
        // A page is read when it is needed, not before.
        assert_eq!(script.seen().len(), [1, 3, 4][count - 1]);
    }
    assert_eq!(count, 3);
    let first = "GET /settlements/v1/payouts?start_date=2026-04-01T00%3A00%3A00Z\
        &end_date=2026-04-30T23%3A59%3A59Z&currency_code=SEK&size=1";
    let second = "GET /settlements/v1/payouts?size=1&offset=1";
    let third = "GET /settlements/v1/payouts?size=1&offset=2";
    assert_eq!(lines(&script), [first, second, second, third]);
    assert!(script.seen().iter().all(|seen| seen.header("authorization").is_some()));
}

#[tokio::test]
async fn a_list_that_leads_astray_is_left() {
    for next in [
        "/settlements/v1/payouts?offset=1",
        "https://api.klarna.com/ordermanagement/v1/orders?x=1",
        "/settlements/v1/payouts/../transactions",
        "https://[",
    ] {
        // Each page leads to the same page, or to a place that is not this list.
        let script = Script::play([page(next), page(next)]).await;
        let client = script.client();
        let mut items = client.settlements().payouts(&PayoutFilter::new()).items();
        let error = loop {
            match items.next().await.unwrap() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Decode, "{next}");
        assert!(items.next().await.is_none());
        assert!(script.seen().len() <= 2);
    }
}

#[tokio::test]
async fn all_of_settlements_is_asked_for_as_klarna_wants() {
    let transactions = r#"{"transactions":[],"pagination":{"count":0}}"#;
    let script = Script::play([
        page("/settlements/v1/payouts?offset=1"),
        ok(PAYOUT),
        ok("[]"),
        ok(transactions),
        ok(transactions),
        ok("%PDF-1.7"),
        ok("type\n"),
        ok("%PDF-1.7"),
    ])
    .await;
    let client = script.client();
    let settlements = client.settlements();
    let reference = PaymentReference::from("R1");
    // One page alone.
    let one = settlements.payouts(&PayoutFilter::new()).await.unwrap();
    assert_eq!((one.payouts.len(), one.pagination.total), (1, Some(3)));
    settlements.payout(&reference).await.unwrap();
    settlements.summary(april(), Some(&Currency::EUR)).await.unwrap();
    settlements.transactions(&TransactionFilter::of_payout(&reference)).await.unwrap();
    let of_order = TransactionFilter::of_order(&OrderId::new("o-1")).size(500);
    assert_eq!(settlements.transactions(&of_order).items().collect().await.unwrap(), []);
    settlements.payout_pdf(&reference).await.unwrap();
    settlements.payouts_csv(april()).await.unwrap();
    settlements.payouts_pdf(april()).await.unwrap();
    let span = "start_date=2026-04-01T00%3A00%3A00Z&end_date=2026-04-30T23%3A59%3A59Z";
    let expected = [
        "payouts".to_owned(),
        "payouts/R1".to_owned(),
        format!("payouts/summary?{span}&currency_code=EUR"),
        "transactions?payment_reference=R1".to_owned(),
        "transactions?order_id=o-1&size=500".to_owned(),
        "reports/payout?payment_reference=R1".to_owned(),
        format!("reports/payouts-summary-with-transactions?{span}"),
        format!("reports/payouts-summary?{span}"),
    ];
    assert_eq!(lines(&script), expected.map(|path| format!("GET /settlements/v1/{path}")));
    // The one payment reference that is another route's name.
    let error = settlements.payout(&PaymentReference::from("summary")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

// --- Disputes, version 4

const OF_DISPUTE: &str =
    r#"{"payment_dispute_id":"krn:1","dispute_reason":"INCORRECT_AMOUNT","state":"INITIATED"}"#;

#[tokio::test]
async fn disputes_are_listed_by_cursor() {
    let page = |rest: &str| {
        let body = format!(r#"{{"disputes":[{OF_DISPUTE}],"pagination":{{"count":1{rest}}}}}"#);
        Step::Answer(200, "", Box::leak(body.into_boxed_str()))
    };
    let script = Script::play([
        page(r#","last_item":"c1""#),
        page(r#","links":{"next":{"href":"https://x/v4/payment/disputes?starting_after=c2"}}"#),
        page(r#","last_item":null"#),
    ])
    .await;
    let mut filter = ListDisputes::new();
    filter.state = vec![DisputeState::Initiated, DisputeState::PreArbitration];
    filter.sort_by = vec![DisputeSort::CreatedAtDescending];
    let found = script.client().disputes().list(&filter).items().collect().await.unwrap();
    assert_eq!(found.len(), 3);
    let first =
        "GET /v4/payment/disputes?state=INITIATED&state=PRE_ARBITRATION&sort_by=-created_at";
    let second = format!("{first}&starting_after=c1");
    assert_eq!(
        lines(&script),
        [first, second.as_str(), "GET /v4/payment/disputes?starting_after=c2"]
    );
}

#[tokio::test]
async fn a_dispute_is_read_answered_and_given_up() {
    let script = Script::play([
        NOTHING,
        NOTHING,
        ok(OF_DISPUTE),
        UNAVAILABLE,
        Step::Answer(201, "", r#"{"payment_dispute_attachment_id":"a-1"}"#),
        Step::Answer(201, "", r#"{"state":"REPRESENTMENT"}"#),
        Step::Answer(201, "", r#"{"state":"ARBITRATION"}"#),
        ok("file"),
        Step::Answer(202, "", r#"{"state":"CLOSED"}"#),
    ])
    .await;
    let client = script.client();
    let disputes = client.disputes();
    disputes.enroll(&MerchantId::new("K1")).await.unwrap();
    disputes.enroll_partner("p-1", &EnrollPartner::new("client1")).await.unwrap();
    disputes.get(&dispute()).await.unwrap();
    let file = Upload::new("proof.pdf", b"%PDF-1.7".as_slice());
    let uploaded = disputes.upload(&dispute(), &file).await.unwrap();
    let id = uploaded.payment_dispute_attachment_id.clone();
    let evidence = Represent::new(vec![AttachmentReference::new(id).description("signed")]);
    assert_eq!(
        disputes.represent(&dispute(), &evidence).await.unwrap().state,
        DisputeState::Representment
    );
    disputes.appeal(&dispute(), &Appeal::new("It was delivered.")).await.unwrap();
    let attachment = PaymentDisputeAttachmentId::new("a-1");
    let download = disputes.attachment(&dispute(), &attachment).await.unwrap();
    assert_eq!(download.bytes(100).await.unwrap(), "file");
    assert_eq!(disputes.accept_loss(&dispute()).await.unwrap().state, DisputeState::Closed);
    let expected = [
        "POST /v4/payment/disputes/merchants/K1/enroll".to_owned(),
        "POST /v4/payment/disputes/partners/p-1/enroll".to_owned(),
        format!("GET {DISPUTE}"),
        format!("POST {DISPUTE}/attachments"),
        format!("POST {DISPUTE}/attachments"),
        format!("POST {DISPUTE}/represent"),
        format!("POST {DISPUTE}/appeal"),
        format!("GET {DISPUTE}/attachments/a-1/download"),
        format!("POST {DISPUTE}/accept-loss"),
    ];
    assert_eq!(lines(&script), expected);
    let upload = &script.seen()[4];
    let content_type = upload.header("content-type").unwrap();
    assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
    assert!(upload.body.contains("filename=\"proof.pdf\"") && upload.body.contains("%PDF-1.7"));
    // The same body on both tries.
    assert_eq!(script.seen()[3].body, upload.body);
}

#[tokio::test]
async fn errors_of_the_network_are_read_whole() {
    let body = r#"{"error_id":"e-1","error_code":"VALIDATION_ERROR","error_type":"INPUT_ERROR",
        "error_message":"invalid","validation_errors":[{"parameter":"attachments","reason":"required"}],"doc_url":"https://d"}"#;
    let script = Script::play([Step::Answer(400, "", body)]).await;
    let request = Represent::new(vec![]);
    let error = script.client().disputes().represent(&dispute(), &request).await.unwrap_err();
    assert_eq!(error.code().map(ErrorCode::as_str), Some("VALIDATION_ERROR"));
    assert_eq!(error.messages(), ["invalid"]);
    assert_eq!(error.correlation_id().unwrap().as_str(), "e-1");
    let network = error.network_body();
    assert_eq!(network.error_code, Some(NetworkErrorCode::ValidationError));
    assert_eq!(network.error_type, Some(NetworkErrorType::InputError));
    assert_eq!(network.validation_errors[0].parameter, "attachments");
    assert_eq!(network.doc_url.as_deref(), Some("https://d"));
}

#[tokio::test]
async fn a_conflict_after_doubt_has_to_be_looked_into() {
    let conflict = r#"{"error_code":"RESOURCE_CONFLICT","error_type":"RESOURCE_ERROR","error_message":"closed"}"#;
    let conflict = Step::Answer(409, "", conflict);
    // The first try may have done it.
    let script = Script::play([Step::Close, conflict.clone()]).await;
    let error = script.client().disputes().accept_loss(&dispute()).await.unwrap_err();
    assert!(error.outcome_unknown() && error.tries() == 2);
    // Without doubt it is a refusal.
    let script = Script::play([conflict]).await;
    let error = script.client().disputes().accept_loss(&dispute()).await.unwrap_err();
    assert!(!error.outcome_unknown() && !error.is_retryable());
}

// --- Disputes, version 2

#[tokio::test]
async fn version_2_names_its_merchant() {
    let details =
        r#"{"dispute_krn":"krn:1","reason":"return","investigation_status":"unresolved"}"#;
    let list = |next: &str| {
        let pagination = format!(r#"{{"limit":1,"count":1,"next_page":{next}}}"#);
        let body = format!(r#"{{"disputes":[{details}],"pagination":{pagination}}}"#);
        Step::Answer(200, "", Box::leak(body.into_boxed_str()))
    };
    let answer = r#"{"response_id":5,"comment":"sent"}"#;
    let script = Script::play([
        NOTHING,
        list(r#"["a","b"]"#),
        list("[]"),
        ok(details),
        Step::Answer(201, "", r#"{"attachment_id":7,"filename":"proof.pdf"}"#),
        Step::Answer(201, "", answer),
        ok("file"),
        ok("file"),
        NOTHING,
    ])
    .await;
    let client = script.client();
    let disputes = client.disputes().v2();
    disputes.enroll().await.unwrap();
    let mut filter = klarna::types::disputes::v2::ListDisputes::new();
    filter.limit = Some(1);
    assert_eq!(disputes.list(&filter).items().collect().await.unwrap().len(), 2);
    disputes.get(&krn()).await.unwrap();
    let file = Upload::new("proof.pdf", b"%PDF-1.7".as_slice());
    assert_eq!(disputes.upload(&krn(), &file).await.unwrap().attachment_id, 7);
    let response = NewResponse::new().comment("sent").attachments(vec![7]);
    assert_eq!(disputes.respond(&krn(), 3, &response).await.unwrap().response_id, 5);
    disputes.request_attachment(&krn(), 3, 9).await.unwrap();
    disputes.response_attachment(&krn(), 3, 5, 7).await.unwrap();
    disputes.accept_loss(&krn()).await.unwrap();
    let expected = [
        "POST /disputes/v2/enroll".to_owned(),
        "GET /disputes/v2/disputes?limit=1".to_owned(),
        "GET /disputes/v2/disputes?limit=1&next_page=a&next_page=b".to_owned(),
        format!("GET {KRN}"),
        format!("POST {KRN}/attachments"),
        format!("POST {KRN}/requests/3/responses"),
        format!("GET {KRN}/requests/3/attachments/9"),
        format!("GET {KRN}/requests/3/responses/5/attachments/7"),
        format!("POST {KRN}/accept-loss"),
    ];
    assert_eq!(lines(&script), expected);
    assert!(script.seen().iter().all(|seen| seen.header("x-klarna-basic-mid") == Some("K1")));
}

#[tokio::test]
async fn version_2_needs_to_know_its_merchant_and_answers_once() {
    let script = Script::play([UNAVAILABLE, ok(r#"{"disputes":[]}"#)]).await;
    let unnamed = script.client().for_merchant(&Credentials::api_key("klarna_test_api_x"));
    let error = unnamed.disputes().v2().get(&krn()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("Credentials::of_merchant"), "{error}");
    let refuse = |error: Error| assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let mut items =
        unnamed.disputes().v2().list(&klarna::types::disputes::v2::ListDisputes::new()).items();
    refuse(items.next().await.unwrap().unwrap_err());
    assert_eq!(script.seen().len(), 0);
    let credentials = Credentials::api_key("klarna_test_api_x").of_merchant("K7");
    let named = script.client().for_merchant(&credentials);
    // An answer stands beside the one before, so that it is not given again by itself.
    let error = named.disputes().v2().respond(&krn(), 3, &NewResponse::new()).await.unwrap_err();
    assert!(error.outcome_unknown() && error.tries() == 1);
    assert_eq!(only(&script).header("x-klarna-basic-mid"), Some("K7"));
}

#[tokio::test]
async fn errors_of_version_2_have_one_message() {
    let body = r#"{"error_code":"REQUEST_ALREADY_CLOSED","error_message":"The request is closed"}"#;
    let script = Script::play([Step::Answer(400, "", body)]).await;
    let client = script.client();
    let error = client.disputes().v2().respond(&krn(), 3, &NewResponse::new()).await.unwrap_err();
    assert_eq!(error.code().map(ErrorCode::as_str), Some("REQUEST_ALREADY_CLOSED"));
    assert_eq!(error.messages(), ["The request is closed"]);
}
