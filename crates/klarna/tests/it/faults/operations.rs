//! Every operation of the SDK: what has to be there before it can be called, the call, and what kind of call it is.

#![allow(
    unused_braces,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "a list of cases, each written in the same form"
)]

use std::future::Future;
use std::pin::Pin;

use klarna::types::customer_token::CreateTokenOrder;
use klarna::types::disputes::PaymentDisputeAttachmentId;
use klarna::types::disputes::{
    Appeal, AttachmentReference, EnrollPartner, ListDisputes, Represent, v2,
};
use klarna::types::hosted_payment_page::{
    self as page, ContactInformation, DistributeSession, DistributionMethod,
};
use klarna::types::in_store::{self, Distribution, StoreAddress, StoreInfo};
use klarna::types::order_management::{
    CreateCapture, CreateRefund, ExtendDueDate, ShippingInfo, UpdateAuthorization, UpdateConsumer,
    UpdateMerchantReferences, UpdateShippingInfo,
};
use klarna::types::payment_requests::CreatePaymentRequest;
use klarna::types::payments::{
    AcquiringChannel, CreateCustomerToken, IntendedUse, Intent, UpdateSession,
};
use klarna::{
    Address, AuthorizationToken, CaptureId, Client, Country, Currency, CustomerTokenId,
    DownloadCall, Error, HostedSessionId, MerchantId, MinorUnits, OrderId, OrderLine,
    PaymentDisputeId, PaymentReference, PaymentRequestId, PayoutFilter, Period, RefundId, Response,
    SessionId, TransactionFilter, Upload,
};
use serde_json::{Value, json};

use crate::common::world::{World, order_request, session_request};

/// What kind of call an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Changes nothing.
    Read,
    /// A write that may be repeated.
    Harmless,
    /// A write under an idempotency key.
    Keyed,
    /// A write that is repeated, and of which the second is refused when the first took effect.
    TakenOnce,
    /// A write that is not repeated.
    Once,
}

/// What the operation is answered with when nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// A whole answer.
    Whole,
    /// Something that is read as it arrives.
    Stream,
    /// That what it asks for is not there: it cannot be made to be.
    Refusal,
}

/// How many tries a call took, or why it failed.
pub(crate) type Tried = Result<u32, Error>;

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Names of what was prepared, as far as the call needs them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(String, String, String);

/// One operation.
pub(crate) struct Case {
    /// The playground's name for it.
    pub(crate) operation: &'static str,
    pub(crate) class: Class,
    pub(crate) answers: Answers,
    pub(crate) prepare: for<'a> fn(&'a World, &'a Client) -> Later<'a, Ids>,
    pub(crate) call: for<'a> fn(&'a Client, &'a Ids) -> Later<'a, Tried>,
}

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn tries<T>(response: &Response<T>) -> u32 {
    response.meta().tries
}

async fn download(call: DownloadCall) -> Tried {
    let download = call.await?;
    let tries = download.meta().tries;
    download.bytes(1_000_000).await?;
    Ok(tries)
}

// --- What is prepared

fn nothing() -> Ids {
    Ids::default()
}

async fn session(client: &Client) -> SessionId {
    let session = client.payments().create_session(&session_request()).await.unwrap();
    session.session_id.clone()
}

async fn approved(world: &World, client: &Client, intent: Intent) -> AuthorizationToken {
    let request = session_request().intent(intent);
    let session = client.payments().create_session(&request).await.unwrap();
    world.authorize(&session, json!({})).await
}

async fn order(world: &World, client: &Client) -> OrderId {
    let token = approved(world, client, Intent::Buy).await;
    let order = client.payments().create_order(&token, &order_request()).await.unwrap();
    order.order_id.clone()
}

async fn captured(world: &World, client: &Client) -> (OrderId, CaptureId) {
    let order = order(world, client).await;
    let capture = CreateCapture::new(minor(10_000));
    let capture = client.orders().capture(&order, &capture).await.unwrap();
    (order, capture.capture_id.clone())
}

fn token_request() -> CreateCustomerToken {
    let usage = IntendedUse::Subscription;
    CreateCustomerToken::new(Country::SE, Currency::SEK, "sv-SE", "Kaffe", usage)
}

async fn customer_token(world: &World, client: &Client) -> CustomerTokenId {
    let token = approved(world, client, Intent::Tokenize).await;
    let created = client.payments().create_customer_token(&token, &token_request()).await.unwrap();
    created.token_id.clone()
}

fn page_request(client: &Client, session: &SessionId) -> page::CreateSession {
    page::CreateSession::new(client.payments().session_url(session))
}

async fn hosted(client: &Client) -> HostedSessionId {
    let request = page_request(client, &session(client).await);
    client.hosted_payment_page().create(&request).await.unwrap().session_id.clone()
}

async fn at_till(client: &Client) -> SessionId {
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
    client.payments().create_session(&request).await.unwrap().session_id.clone()
}

fn own_id(client: &Client) -> MerchantId {
    client.merchant_id().expect("the username begins with it").clone()
}

async fn paid_out(world: &World, client: &Client) -> Ids {
    captured(world, client).await;
    let request = json!({ "merchant_id": own_id(client) });
    let closed = world.control("/settlements/close", &request).await;
    Ids(closed["payouts"][0].as_str().unwrap().to_owned(), String::new(), String::new())
}

/// A dispute: its id and its KRN.
async fn dispute(world: &World, client: &Client, members: &Value) -> Ids {
    client.disputes().enroll(&own_id(client)).await.unwrap();
    let (order, _) = captured(world, client).await;
    let mut request = members.clone();
    request["order_id"] = json!(order);
    let raised = world.control("/disputes", &request).await;
    let text = |name: &str| raised[name].as_str().unwrap().to_owned();
    Ids(text("payment_dispute_id"), text("dispute_krn"), String::new())
}

fn png() -> Upload {
    Upload::new("proof.png", b"\x89PNG\r\n\x1a\n and so on".as_slice())
}

/// A dispute and a file for it.
async fn with_file(world: &World, client: &Client, members: &Value) -> Ids {
    let Ids(id, krn, _) = dispute(world, client, members).await;
    let uploaded =
        client.disputes().upload(&PaymentDisputeId::new(id.as_str()), &png()).await.unwrap();
    Ids(id, krn, uploaded.payment_dispute_attachment_id.to_string())
}

fn evidence(ids: &Ids) -> Represent {
    let file = PaymentDisputeAttachmentId::new(ids.2.as_str());
    Represent::new(vec![AttachmentReference::new(file)])
}

/// A dispute that is preliminarily lost.
async fn to_appeal(world: &World, client: &Client) -> Ids {
    let members = json!({ "script": "pre_arb_lose_after_arbitration" });
    let ids = with_file(world, client, &members).await;
    let id = PaymentDisputeId::new(ids.0.as_str());
    client.disputes().represent(&id, &evidence(&ids)).await.unwrap();
    world.advance("PT5M").await;
    ids
}

/// A dispute of the older process, and the number of Klarna's request in it.
async fn asked(world: &World, client: &Client) -> Ids {
    let older = json!({
        "framework": "framework_2020", "start": "requested", "reason": "goods_not_received",
    });
    let Ids(id, krn, _) = dispute(world, client, &older).await;
    client.disputes().v2().enroll().await.unwrap();
    let details = client.disputes().v2().get(&v2::DisputeKrn::new(krn.as_str())).await.unwrap();
    let request = details.requests.as_ref().unwrap().first().unwrap().request_id;
    Ids(id, krn, request.to_string())
}

/// An answer to the question for goods that did not arrive.
fn answer(files: &[i64]) -> v2::NewResponse {
    let fields = json!({
        "order_type": "physical_goods", "is_order_shipped": "yes_in_full", "shipping_carrier": "dhl",
        "tracking_id": "634564", "shipping_date": "2026-03-02T10:00:00.000Z",
    });
    v2::NewResponse::new()
        .comment("Delivered.")
        .attachments(files.to_vec())
        .requested_fields(serde_json::from_value::<v2::RequestedFields>(fields).unwrap())
}

/// A request that was answered with a file: the request's number, the answer's, the file's.
async fn answered(world: &World, client: &Client) -> Ids {
    let ids = asked(world, client).await;
    let disputes = client.disputes().v2();
    let file = disputes.upload(&krn(&ids), &png()).await.unwrap().attachment_id;
    let request = ids.2.parse().unwrap();
    let response = disputes.respond(&krn(&ids), request, &answer(&[file])).await.unwrap();
    Ids(ids.2, ids.1, format!("{} {file}", response.response_id))
}

fn payment_request() -> CreatePaymentRequest {
    CreatePaymentRequest::new(Currency::SEK).amount(minor(10_000)).locale("sv-SE")
}

async fn requested(client: &Client) -> PaymentRequestId {
    client.payment_requests().create(&payment_request()).await.unwrap().payment_request_id.clone()
}

fn charge() -> CreateTokenOrder {
    let line = OrderLine::new("Kaffe", 1, minor(100), minor(100));
    CreateTokenOrder::new(Currency::SEK, minor(100), minor(0), vec![line])
}

fn this_year() -> Period {
    Period::new("2026-01-01T00:00:00Z".parse().unwrap(), "2026-12-31T23:59:59Z".parse().unwrap())
}

fn parcel() -> UpdateShippingInfo {
    UpdateShippingInfo::new([ShippingInfo::new().shipping_company("DHL SE")])
}

fn message() -> DistributeSession {
    let contact = ContactInformation::new().email("shopper@example.com");
    DistributeSession::new(DistributionMethod::Email, contact)
}

/// `case!(name, class, answers, |world, client| prepared, |client, ids| tries)`.
macro_rules! case {
    ($operation:literal, $class:ident, $answers:ident,
     |$world:ident, $client:ident| $prepare:expr, |$caller:ident, $ids:ident| $call:expr) => {
        Case {
            operation: $operation,
            class: Class::$class,
            answers: Answers::$answers,
            prepare: |$world, $client| {
                let _ = ($world, $client);
                Box::pin(async move { $prepare })
            },
            call: |$caller, $ids| {
                let _ = $ids;
                Box::pin(async move { $call })
            },
        }
    };
}

/// A case about something of an order, a capture, or whatever has one name.
fn one(id: impl ToString) -> Ids {
    Ids(id.to_string(), String::new(), String::new())
}

fn two((order, capture): (OrderId, CaptureId)) -> Ids {
    Ids(order.to_string(), capture.to_string(), String::new())
}

fn order_id(ids: &Ids) -> OrderId {
    OrderId::new(ids.0.as_str())
}

fn capture_id(ids: &Ids) -> CaptureId {
    CaptureId::new(ids.1.as_str())
}

fn session_id(ids: &Ids) -> SessionId {
    SessionId::new(ids.0.as_str())
}

fn hosted_id(ids: &Ids) -> HostedSessionId {
    HostedSessionId::new(ids.0.as_str())
}

fn dispute_id(ids: &Ids) -> PaymentDisputeId {
    PaymentDisputeId::new(ids.0.as_str())
}

fn krn(ids: &Ids) -> v2::DisputeKrn {
    v2::DisputeKrn::new(ids.1.as_str())
}

fn reference(ids: &Ids) -> PaymentReference {
    PaymentReference::from(ids.0.as_str())
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = payments();
    cases.extend(tokens_and_pages());
    cases.extend(orders());
    cases.extend(settlements());
    cases.extend(disputes());
    cases.extend(disputes_v2());
    cases
}

fn payments() -> Vec<Case> {
    vec![
        case!("payments.create_session", Harmless, Whole, |w, c| nothing(), |c, ids| {
            Ok(tries(&c.payments().create_session(&session_request()).await?))
        }),
        case!(
            "payments.update_session",
            Harmless,
            Whole,
            |w, c| one(session(c).await),
            |c, ids| {
                let update = UpdateSession::new().merchant_reference1("WEB-2");
                Ok(tries(&c.payments().update_session(&session_id(ids), &update).await?))
            }
        ),
        case!("payments.read_session", Read, Whole, |w, c| one(session(c).await), |c, ids| {
            Ok(tries(&c.payments().session(&session_id(ids)).await?))
        }),
        case!(
            "payments.cancel_session",
            Harmless,
            Whole,
            |w, c| one(at_till(c).await),
            |c, ids| { Ok(tries(&c.payments().cancel_session(&session_id(ids)).await?)) }
        ),
        case!(
            "payments.create_order",
            Harmless,
            Whole,
            |w, c| one(approved(w, c, Intent::Buy).await.expose()),
            |c, ids| {
                let token = AuthorizationToken::new(ids.0.as_str());
                Ok(tries(&c.payments().create_order(&token, &order_request()).await?))
            }
        ),
        case!(
            "payments.create_customer_token",
            Once,
            Whole,
            |w, c| one(approved(w, c, Intent::Tokenize).await.expose()),
            |c, ids| {
                let token = AuthorizationToken::new(ids.0.as_str());
                Ok(tries(&c.payments().create_customer_token(&token, &token_request()).await?))
            }
        ),
        case!(
            "payments.cancel_authorization",
            Harmless,
            Whole,
            |w, c| one(approved(w, c, Intent::Buy).await.expose()),
            |c, ids| {
                let token = AuthorizationToken::new(ids.0.as_str());
                Ok(tries(&c.payments().delete_authorization(&token).await?))
            }
        ),
    ]
}

fn tokens_and_pages() -> Vec<Case> {
    vec![
        case!(
            "customer_tokens.read",
            Read,
            Whole,
            |w, c| one(customer_token(w, c).await),
            |c, ids| {
                let token = CustomerTokenId::new(ids.0.as_str());
                Ok(tries(&c.customer_tokens().get(&token).await?))
            }
        ),
        case!(
            "customer_tokens.create_order",
            Keyed,
            Whole,
            |w, c| one(customer_token(w, c).await),
            |c, ids| {
                let token = CustomerTokenId::new(ids.0.as_str());
                Ok(tries(&c.customer_tokens().charge(&token, &charge()).await?))
            }
        ),
        case!(
            "customer_tokens.set_status",
            Harmless,
            Whole,
            |w, c| one(customer_token(w, c).await),
            |c, ids| {
                let token = CustomerTokenId::new(ids.0.as_str());
                Ok(tries(&c.customer_tokens().cancel(&token).await?))
            }
        ),
        case!(
            "hosted_payment_page.create_session",
            Harmless,
            Whole,
            |w, c| one(session(c).await),
            |c, ids| {
                let request = page_request(c, &session_id(ids));
                Ok(tries(&c.hosted_payment_page().create(&request).await?))
            }
        ),
        case!(
            "hosted_payment_page.read_session",
            Read,
            Whole,
            |w, c| one(hosted(c).await),
            |c, ids| { Ok(tries(&c.hosted_payment_page().get(&hosted_id(ids)).await?)) }
        ),
        case!(
            "hosted_payment_page.disable_session",
            Harmless,
            Whole,
            |w, c| one(hosted(c).await),
            |c, ids| { Ok(tries(&c.hosted_payment_page().disable(&hosted_id(ids)).await?)) }
        ),
        case!(
            "hosted_payment_page.distribute",
            Once,
            Whole,
            |w, c| one(hosted(c).await),
            |c, ids| {
                Ok(tries(&c.hosted_payment_page().distribute(&hosted_id(ids), &message()).await?))
            }
        ),
        case!("payment_requests.create", Harmless, Whole, |w, c| nothing(), |c, ids| {
            Ok(tries(&c.payment_requests().create(&payment_request()).await?))
        }),
        case!("payment_requests.read", Read, Whole, |w, c| one(requested(c).await), |c, ids| {
            Ok(tries(&c.payment_requests().get(&PaymentRequestId::new(ids.0.as_str())).await?))
        }),
        case!(
            "payment_requests.cancel",
            TakenOnce,
            Whole,
            |w, c| one(requested(c).await),
            |c, ids| {
                Ok(tries(
                    &c.payment_requests().cancel(&PaymentRequestId::new(ids.0.as_str())).await?,
                ))
            }
        ),
        case!("in_store.read_distribution", Read, Whole, |w, c| one(at_till(c).await), |c, ids| {
            Ok(tries(&c.in_store().result(&session_id(ids)).await?))
        }),
    ]
}

fn orders() -> Vec<Case> {
    vec![
        case!("orders.read", Read, Whole, |w, c| one(order(w, c).await), |c, ids| {
            Ok(tries(&c.orders().get(&order_id(ids)).await?))
        }),
        case!("orders.acknowledge", Keyed, Whole, |w, c| one(order(w, c).await), |c, ids| {
            Ok(tries(&c.orders().acknowledge(&order_id(ids)).await?))
        }),
        case!(
            "orders.update_authorization",
            Keyed,
            Whole,
            |w, c| one(order(w, c).await),
            |c, ids| {
                let update = UpdateAuthorization::new(minor(9_000));
                Ok(tries(&c.orders().update_authorization(&order_id(ids), &update).await?))
            }
        ),
        case!("orders.cancel", Keyed, Whole, |w, c| one(order(w, c).await), |c, ids| {
            Ok(tries(&c.orders().cancel(&order_id(ids)).await?))
        }),
        case!(
            "orders.update_customer_details",
            Keyed,
            Whole,
            |w, c| one(order(w, c).await),
            |c, ids| {
                let address = Address::new().city("Uppsala");
                let update = UpdateConsumer::new().shipping_address(address);
                Ok(tries(&c.orders().update_customer_details(&order_id(ids), &update).await?))
            }
        ),
        case!(
            "orders.extend_authorization_time",
            Keyed,
            Whole,
            |w, c| one(order(w, c).await),
            |c, ids| { Ok(tries(&c.orders().extend_authorization_time(&order_id(ids)).await?)) }
        ),
        case!(
            "orders.update_merchant_references",
            Keyed,
            Whole,
            |w, c| one(order(w, c).await),
            |c, ids| {
                let update = UpdateMerchantReferences::new().merchant_reference1("A");
                Ok(tries(&c.orders().update_merchant_references(&order_id(ids), &update).await?))
            }
        ),
        case!(
            "orders.release_remaining_authorization",
            Keyed,
            Whole,
            |w, c| {
                let order = order(w, c).await;
                c.orders().capture(&order, &CreateCapture::new(minor(4_000))).await.unwrap();
                one(order)
            },
            |c, ids| {
                Ok(tries(&c.orders().release_remaining_authorization(&order_id(ids)).await?))
            }
        ),
        case!(
            "orders.append_shipping_info",
            Keyed,
            Whole,
            |w, c| one(order(w, c).await),
            |c, ids| { Ok(tries(&c.orders().add_shipping_info(&order_id(ids), &parcel()).await?)) }
        ),
        case!("orders.capture", Keyed, Whole, |w, c| one(order(w, c).await), |c, ids| {
            let capture = CreateCapture::new(minor(100));
            Ok(tries(&c.orders().capture(&order_id(ids), &capture).await?))
        }),
        case!("orders.list_captures", Read, Whole, |w, c| two(captured(w, c).await), |c, ids| {
            Ok(tries(&c.orders().captures(&order_id(ids)).await?))
        }),
        case!("orders.read_capture", Read, Whole, |w, c| two(captured(w, c).await), |c, ids| {
            Ok(tries(&c.orders().get_capture(&order_id(ids), &capture_id(ids)).await?))
        }),
        case!(
            "orders.append_capture_shipping_info",
            Keyed,
            Whole,
            |w, c| two(captured(w, c).await),
            |c, ids| {
                let orders = c.orders();
                let call =
                    orders.add_capture_shipping_info(&order_id(ids), &capture_id(ids), &parcel());
                Ok(tries(&call.await?))
            }
        ),
        case!(
            "orders.trigger_send_out",
            Keyed,
            Whole,
            |w, c| two(captured(w, c).await),
            |c, ids| {
                Ok(tries(&c.orders().trigger_send_out(&order_id(ids), &capture_id(ids)).await?))
            }
        ),
        case!(
            "orders.read_due_date_options",
            Read,
            Whole,
            |w, c| two(captured(w, c).await),
            |c, ids| {
                Ok(tries(
                    &c.orders().extend_due_date_options(&order_id(ids), &capture_id(ids)).await?,
                ))
            }
        ),
        case!(
            "orders.extend_due_date",
            Keyed,
            Whole,
            |w, c| {
                let (order, capture) = captured(w, c).await;
                let options = c.orders().extend_due_date_options(&order, &capture).await.unwrap();
                let days = options.options.first().unwrap().number_of_days.to_string();
                Ids(order.to_string(), capture.to_string(), days)
            },
            |c, ids| {
                let request = ExtendDueDate::new(ids.2.parse::<i32>().unwrap());
                let orders = c.orders();
                let call = orders.extend_due_date(&order_id(ids), &capture_id(ids), &request);
                Ok(tries(&call.await?))
            }
        ),
        case!("orders.refund", Keyed, Whole, |w, c| two(captured(w, c).await), |c, ids| {
            let refund = CreateRefund::new(minor(100));
            Ok(tries(&c.orders().refund(&order_id(ids), &refund).await?))
        }),
        case!(
            "orders.read_refund",
            Read,
            Whole,
            |w, c| {
                let (order, _) = captured(w, c).await;
                let refund = CreateRefund::new(minor(100));
                let refund = c.orders().refund(&order, &refund).await.unwrap();
                Ids(order.to_string(), refund.refund_id.to_string(), String::new())
            },
            |c, ids| {
                let refund = RefundId::new(ids.1.as_str());
                Ok(tries(&c.orders().get_refund(&order_id(ids), &refund).await?))
            }
        ),
    ]
}

fn settlements() -> Vec<Case> {
    vec![
        case!("settlements.list_payouts", Read, Whole, |w, c| paid_out(w, c).await, |c, ids| {
            Ok(tries(&c.settlements().payouts(&PayoutFilter::new()).await?))
        }),
        case!(
            "settlements.summarise_payouts",
            Read,
            Whole,
            |w, c| paid_out(w, c).await,
            |c, ids| { Ok(tries(&c.settlements().summary(this_year(), None).await?)) }
        ),
        case!("settlements.read_payout", Read, Whole, |w, c| paid_out(w, c).await, |c, ids| {
            Ok(tries(&c.settlements().payout(&reference(ids)).await?))
        }),
        case!(
            "settlements.list_transactions",
            Read,
            Whole,
            |w, c| paid_out(w, c).await,
            |c, ids| { Ok(tries(&c.settlements().transactions(&TransactionFilter::new()).await?)) }
        ),
        case!("settlements.payout_report", Read, Stream, |w, c| paid_out(w, c).await, |c, ids| {
            download(c.settlements().payout_pdf(&reference(ids))).await
        }),
        case!(
            "settlements.payout_report_with_transactions",
            Read,
            Stream,
            |w, c| paid_out(w, c).await,
            |c, ids| { download(c.settlements().payout_csv(&reference(ids))).await }
        ),
        case!("settlements.summary_report", Read, Stream, |w, c| paid_out(w, c).await, |c, ids| {
            download(c.settlements().payouts_pdf(this_year())).await
        }),
        case!(
            "settlements.summary_report_with_transactions",
            Read,
            Stream,
            |w, c| paid_out(w, c).await,
            |c, ids| { download(c.settlements().payouts_csv(this_year())).await }
        ),
    ]
}

fn disputes() -> Vec<Case> {
    vec![
        case!("disputes.list", Read, Whole, |w, c| dispute(w, c, &json!({})).await, |c, ids| {
            Ok(tries(&c.disputes().list(&ListDisputes::new()).await?))
        }),
        case!("disputes.read", Read, Whole, |w, c| dispute(w, c, &json!({})).await, |c, ids| {
            Ok(tries(&c.disputes().get(&dispute_id(ids)).await?))
        }),
        case!(
            "disputes.accept_loss",
            TakenOnce,
            Whole,
            |w, c| dispute(w, c, &json!({})).await,
            |c, ids| { Ok(tries(&c.disputes().accept_loss(&dispute_id(ids)).await?)) }
        ),
        case!(
            "disputes.upload_attachment",
            Harmless,
            Whole,
            |w, c| dispute(w, c, &json!({})).await,
            |c, ids| { Ok(tries(&c.disputes().upload(&dispute_id(ids), &png()).await?)) }
        ),
        case!(
            "disputes.download_attachment",
            Read,
            Stream,
            |w, c| with_file(w, c, &json!({})).await,
            |c, ids| {
                let file = PaymentDisputeAttachmentId::new(ids.2.as_str());
                download(c.disputes().attachment(&dispute_id(ids), &file)).await
            }
        ),
        case!(
            "disputes.represent",
            TakenOnce,
            Whole,
            |w, c| with_file(w, c, &json!({})).await,
            |c, ids| {
                Ok(tries(&c.disputes().represent(&dispute_id(ids), &evidence(ids)).await?))
            }
        ),
        case!("disputes.appeal", TakenOnce, Whole, |w, c| to_appeal(w, c).await, |c, ids| {
            Ok(tries(&c.disputes().appeal(&dispute_id(ids), &Appeal::new("Look again")).await?))
        }),
        case!("disputes.enroll_merchant", Harmless, Whole, |w, c| one(own_id(c)), |c, ids| {
            Ok(tries(&c.disputes().enroll(&MerchantId::new(ids.0.as_str())).await?))
        }),
        case!(
            "disputes.enroll_partner",
            Harmless,
            Whole,
            |w, c| {
                let path = format!("/merchants/{}/disputes", own_id(c));
                w.control(&path, &json!({ "account": "partner" })).await;
                one(own_id(c))
            },
            |c, ids| {
                let request = EnrollPartner::new("client1");
                Ok(tries(&c.disputes().enroll_partner(&ids.0, &request).await?))
            }
        ),
    ]
}

fn disputes_v2() -> Vec<Case> {
    vec![
        case!("disputes_v2.enroll", Harmless, Whole, |w, c| nothing(), |c, ids| {
            Ok(tries(&c.disputes().v2().enroll().await?))
        }),
        case!("disputes_v2.list", Read, Whole, |w, c| asked(w, c).await, |c, ids| {
            Ok(tries(&c.disputes().v2().list(&v2::ListDisputes::new()).await?))
        }),
        case!(
            "disputes_v2.read",
            Read,
            Whole,
            |w, c| {
                dispute(w, c, &json!({ "framework": "framework_2020", "reason": "return" })).await
            },
            |c, ids| { Ok(tries(&c.disputes().v2().get(&krn(ids)).await?)) }
        ),
        case!("disputes_v2.accept_loss", TakenOnce, Whole, |w, c| asked(w, c).await, |c, ids| {
            Ok(tries(&c.disputes().v2().accept_loss(&krn(ids)).await?))
        }),
        case!(
            "disputes_v2.upload_attachment",
            Harmless,
            Whole,
            |w, c| asked(w, c).await,
            |c, ids| { Ok(tries(&c.disputes().v2().upload(&krn(ids), &png()).await?)) }
        ),
        case!("disputes_v2.respond", Once, Whole, |w, c| asked(w, c).await, |c, ids| {
            let response = answer(&[]);
            let request = ids.2.parse().unwrap();
            Ok(tries(&c.disputes().v2().respond(&krn(ids), request, &response).await?))
        }),
        case!(
            "disputes_v2.download_request_attachment",
            Read,
            Refusal,
            |w, c| asked(w, c).await,
            |c, ids| {
                let request = ids.2.parse().unwrap();
                download(c.disputes().v2().request_attachment(&krn(ids), request, 999_999)).await
            }
        ),
        case!(
            "disputes_v2.download_response_attachment",
            Read,
            Stream,
            |w, c| answered(w, c).await,
            |c, ids| {
                let (response, file) = ids.2.split_once(' ').unwrap();
                let (request, response) = (ids.0.parse().unwrap(), response.parse().unwrap());
                let file = file.parse().unwrap();
                download(c.disputes().v2().response_attachment(&krn(ids), request, response, file))
                    .await
            }
        ),
    ]
}
