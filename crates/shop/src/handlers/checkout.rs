//! The checkout: opened at the gateway, paid in the browser, confirmed at the gateway.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::CheckoutWay;
use crate::address::{self, Field};
use crate::cart::{self, BillLine, Cart, LineKind};
use crate::catalogue;
use crate::checkout::{Channel, Draft, Intent, Step, Wanted, order_number, step};
use crate::gateway::{
    Address, Category, Checkout, CheckoutRequest, CheckoutStatus, Confirmed, GatewayError, Line,
    PageWish, TokenToBe,
};
use crate::handlers::order::{is_checkout_id, settle};
use crate::handlers::{report, subscription};
use crate::pages;
use crate::pages::checkout::{Form, Payment};
use crate::policy;
use crate::visit::{Message, OrderNote, Posted, Visit};

/// `GET /checkout`
pub(crate) async fn show(visit: Visit, Query(query): Query<ShowQuery>) -> Response {
    let notice = query.denied.map(|_| visit.texts().klarna_denied);
    show_form(visit, StatusCode::OK, Form { notice, ..Form::default() }).await
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ShowQuery {
    /// Set when Klarna's page sent the shopper back after a refusal.
    #[serde(default)]
    denied: Option<String>,
}

async fn show_form(mut visit: Visit, status: StatusCode, form: Form) -> Response {
    if visit.cart.is_empty() {
        return visit.go("/cart");
    }
    visit.announce_cart();
    let payment = if visit.cart.bill(visit.view).total == 0 {
        Payment::Nothing
    } else {
        let way = visit.app().way;
        let channel = match way {
            CheckoutWay::Inline => Channel::Inline,
            CheckoutWay::Hosted => Channel::Hosted,
        };
        match (ready(&mut visit, channel, None).await, way) {
            (Ready::Open(checkout), CheckoutWay::Inline) => Payment::Klarna(checkout),
            (Ready::Open(checkout), CheckoutWay::Hosted) => Payment::KlarnaPage(checkout),
            (Ready::Unavailable, _) => Payment::KlarnaUnavailable,
            (Ready::Go(path), _) => return visit.go(&path),
        }
    };
    let policy = match &payment {
        Payment::Klarna(checkout) => policy::checkout(checkout.klarna.as_ref()),
        Payment::KlarnaPage(checkout) => {
            policy::with_picture(checkout.page_category().and_then(Category::badge))
        }
        Payment::KlarnaUnavailable | Payment::Nothing => policy::checkout(None),
    };
    let page = pages::checkout::page(&visit, &payment, &form);
    let mut response = visit.page(status, page);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What stands behind the checkout page.
pub(crate) enum Ready {
    /// This checkout.
    Open(Box<Checkout>),
    /// None: Klarna cannot be offered.
    Unavailable,
    /// One that is being paid, or is paid: the visitor belongs on this page.
    Go(String),
}

fn waiting_for(id: &str) -> String {
    format!("/checkout/waiting?checkout={id}")
}

fn confirmation_of(id: &str) -> String {
    format!("/confirmation?checkout={id}")
}

/// Who buys, once the shopper has chosen to pay on Klarna's page: personal data of the form.
pub(crate) struct Who {
    billing: Address,
    shipping: Option<Address>,
}

fn wanted(visit: &Visit, channel: Channel) -> Wanted {
    let intent = match visit.cart.monthly() {
        Some(_) => Intent::BuyAndTokenize,
        None => Intent::Buy,
    };
    let identity_id = match channel {
        Channel::Inline | Channel::Hosted => visit.identity_id.clone(),
        // On the phone that pays, anybody may be signed in.
        Channel::InStore => None,
    };
    Wanted { channel, intent, fingerprint: visit.fingerprint(), identity_id }
}

/// Brings the visitor's checkout up to date with the cart, opening one where there is none.
/// Coming here again (reload, back, a second tab) finds the same checkout.
pub(crate) async fn ready(visit: &mut Visit, channel: Channel, who: Option<&Who>) -> Ready {
    let wanted = wanted(visit, channel);
    // A checkout may move on between reading and changing it; then it is read once more.
    for _ in 0..2 {
        let Some((draft, id)) =
            visit.draft.clone().and_then(|draft| draft.checkout_id.clone().map(|id| (draft, id)))
        else {
            break;
        };
        let known = match visit.app().gateway.checkout(&id).await {
            Ok(known) => known,
            Err(error) if error.is_passing() => return unavailable(&error),
            Err(error) => {
                report(&error, "the checkout under way is gone; a new one is opened");
                break;
            }
        };
        match step(&draft, &known, &wanted, visit.app().clock.now()) {
            Step::Keep if who.is_none() => return Ready::Open(Box::new(known)),
            Step::Wait => return Ready::Go(waiting_for(&id)),
            Step::Finish => return Ready::Go(confirmation_of(&id)),
            Step::Start => break,
            Step::Replace => match call_off(visit, &id).await {
                Some(elsewhere) => return Ready::Go(elsewhere),
                None => break,
            },
            Step::Keep | Step::Update => {
                let changed = request(visit, who, None);
                match visit.app().gateway.update(&id, &changed).await {
                    Ok(checkout) => {
                        visit.keep_draft(Draft { fingerprint: wanted.fingerprint, ..draft });
                        return Ready::Open(Box::new(checkout));
                    }
                    Err(error) if error.is_passing() => return unavailable(&error),
                    Err(error) => report(&error, "a checkout could not be changed"),
                }
            }
        }
    }
    start(visit, &wanted, who).await
}

async fn start(visit: &mut Visit, wanted: &Wanted, who: Option<&Who>) -> Ready {
    let plan_id = match wanted.intent {
        Intent::Buy => None,
        Intent::BuyAndTokenize => match subscription::plan(visit).await {
            Ok(plan_id) => plan_id,
            Err(error) => return unavailable(&error),
        },
    };
    // An order number whose opening got no answer is used again with the same key, so that no
    // second checkout is opened for it.
    let mut draft = match visit.draft.take() {
        Some(draft)
            if draft.checkout_id.is_none()
                && draft.is_such(wanted)
                && draft.fingerprint == wanted.fingerprint =>
        {
            draft
        }
        _ => fresh(wanted),
    };
    // Who is signed in with Klarna is told of; should the gateway not know them (any more), they pay as
    // anybody does.
    for _ in 0..2 {
        visit.keep_draft(draft.clone());
        let opening = Opening { draft: &draft, plan_id: plan_id.as_deref() };
        let asked = request(visit, who, Some(&opening));
        match visit.app().gateway.open(&asked, &draft.idempotency_key()).await {
            Ok(checkout) if checkout.status == CheckoutStatus::Open => {
                draft.checkout_id = Some(checkout.id.clone());
                if let Some(plan_id) = &plan_id {
                    match subscription::begin(visit, &draft, plan_id).await {
                        Ok(id) => draft.subscription_id = Some(id),
                        Err(error) => return unavailable(&error),
                    }
                }
                visit.keep_draft(draft);
                return Ready::Open(Box::new(checkout));
            }
            Ok(_) => {}
            Err(error) if error.is_passing() => return unavailable(&error),
            Err(error) => report(&error, "a checkout was not opened under this order number"),
        }
        let known = draft.identity_id.is_none();
        draft = Draft { identity_id: None, ..fresh(wanted) };
        if !known {
            visit.sign_out();
        }
    }
    tracing::error!("the gateway opens no checkout, not even under a second order number");
    visit.forget_draft();
    Ready::Unavailable
}

fn fresh(wanted: &Wanted) -> Draft {
    Draft::new(order_number(service::random::bytes()), wanted)
}

fn unavailable(error: &GatewayError) -> Ready {
    report(error, "Klarna cannot be offered");
    Ready::Unavailable
}

/// What is fixed when a checkout is opened.
struct Opening<'a> {
    draft: &'a Draft,
    plan_id: Option<&'a str>,
}

/// The cart in the gateway's words.
fn request(visit: &Visit, who: Option<&Who>, opening: Option<&Opening<'_>>) -> CheckoutRequest {
    let app = visit.app();
    let lines = visit.cart.bill(visit.view).lines.into_iter().map(|line| line_of(visit, line));
    let mut request = CheckoutRequest {
        merchant_reference: None,
        country: visit.market().country,
        locale: visit.view.locale.tag,
        prices: visit.market().tax.wire(),
        lines: lines.collect(),
        confirmation_url: None,
        capture: None,
        channel: None,
        intent: None,
        customer_token: None,
        page: None,
        billing_address: who.map(|who| who.billing.clone()),
        shipping_address: who.map(|who| who.shipping.as_ref().unwrap_or(&who.billing).clone()),
        identity_id: None,
    };
    let Some(Opening { draft, plan_id }) = opening else { return request };
    request.merchant_reference = Some(draft.reference.clone());
    request.confirmation_url = Some(app.absolute("/confirmation?checkout={checkout_id}"));
    request.capture = Some("manual");
    request.channel = Some(draft.channel);
    request.intent = Some(draft.intent);
    request.identity_id.clone_from(&draft.identity_id);
    request.customer_token = plan_id.map(|plan_id| TokenToBe {
        description: subscription::name(visit),
        plan_id: plan_id.to_owned(),
    });
    request.page = match draft.channel {
        // The phone that pays in the workshop has no page of the shop's to go back to.
        Channel::Inline | Channel::InStore => None,
        Channel::Hosted => Some(PageWish {
            page_title: format!("Tallvik · {}", visit.texts().checkout),
            logo_url: app.absolute("/assets/mark.svg"),
            back_url: app.absolute("/checkout"),
            cancel_url: app.absolute("/checkout"),
            failure_url: app.absolute("/checkout?denied=1"),
        }),
    };
    request
}

/// A line of the bill in the gateway's words.
pub(crate) fn line_of(visit: &Visit, line: BillLine) -> Line {
    let app = visit.app();
    let product = catalogue::find(&line.reference).filter(|_| line.kind == LineKind::Physical);
    Line {
        kind: line.kind.wire(),
        image_url: product.map(|product| app.absolute(&format!("/pictures/{}.svg", product.page))),
        product_url: product.map(|product| app.absolute(&format!("/products/{}", product.page))),
        reference: line.reference,
        name: line.name,
        quantity: line.quantity,
        unit_price: line.unit_price,
        tax_rate: line.tax_rate,
        discount: line.discount,
    }
}

/// `POST /checkout/shipping`
pub(crate) async fn choose_shipping(posted: Posted) -> Response {
    let wanted = posted.get("shipping").to_owned();
    let mut visit = posted.visit;
    if let Some(option) = visit.market().shipping.iter().find(|option| option.id.id() == wanted) {
        visit.cart.deliver(option.id);
        visit.keep_cart();
    }
    visit.go("/checkout")
}

/// What the page sends after the shopper's approval.
#[derive(Deserialize)]
pub(crate) struct Approval {
    checkout_id: String,
    authorization_token: String,
}

/// What the page sends when Klarna shows no widget.
#[derive(Deserialize)]
pub(crate) struct Stale {
    checkout_id: String,
    client_token: String,
}

/// `POST /checkout/renew`: has the gateway tell Klarna of the cart once more. If the session behind
/// `client_token` is gone there, the gateway opens another one, and the page is to be loaded again.
pub(crate) async fn renew(message: Message<Stale>) -> Response {
    #[derive(Serialize)]
    struct Renewal {
        renewed: bool,
    }
    let Message { visit, body } = message;
    let own = visit.draft.as_ref().and_then(|draft| draft.checkout_id.as_deref());
    if own != Some(body.checkout_id.as_str()) {
        // Another tab has begun another checkout since; the page is loaded again to join it.
        let renewed = own.is_some();
        return visit.answer(Json(Renewal { renewed }).into_response());
    }
    let gateway = visit.app().gateway.clone();
    let renewed = match gateway.update(&body.checkout_id, &request(&visit, None, None)).await {
        Ok(checkout) => {
            checkout.klarna.is_some_and(|session| session.client_token != body.client_token)
        }
        Err(error) => {
            report(&error, "a checkout's session was not renewed");
            false
        }
    };
    visit.answer(Json(Renewal { renewed }).into_response())
}

/// `POST /express`: the checkout behind the express button, as it is at the checkout page. From a product's page the
/// product is put in the cart first; pressed again, it is the same one.
pub(crate) async fn express(message: Message<Asked>) -> Response {
    #[derive(Serialize)]
    #[serde(tag = "outcome", rename_all = "snake_case")]
    enum Express {
        Ready { checkout_id: String, client_token: String },
        Go { location: String },
        Unavailable,
    }
    let Message { mut visit, body } = message;
    // A look at the cart calls nothing off: what is being paid on Klarna's page or on a phone goes on.
    let elsewhere = visit.draft.as_ref().is_some_and(|draft| draft.channel != Channel::Inline);
    let cart = body.wanted(&visit.cart);
    let usable = |cart: &Cart| cart.monthly().is_none() && cart.bill(visit.view).total > 0;
    let Some(cart) = cart.filter(|cart| !elsewhere && usable(cart)) else {
        return visit.answer(Json(Express::Unavailable).into_response());
    };
    if body.product.is_some() {
        visit.cart = cart;
        visit.keep_cart();
    }
    let answer = match ready(&mut visit, Channel::Inline, None).await {
        Ready::Open(checkout) => match checkout.klarna {
            Some(session) => {
                Express::Ready { checkout_id: checkout.id, client_token: session.client_token }
            }
            None => Express::Unavailable,
        },
        Ready::Go(location) => Express::Go { location },
        Ready::Unavailable => Express::Unavailable,
    };
    visit.answer(Json(answer).into_response())
}

/// What is to be bought besides what is in the cart.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    product: Option<String>,
    #[serde(default)]
    quantity: String,
}

impl Asked {
    /// The cart that is paid; nothing if there is no such product, or not so many.
    fn wanted(&self, present: &Cart) -> Option<Cart> {
        let mut cart = present.clone();
        if let Some(slug) = &self.product {
            let product = catalogue::find(slug)?;
            let quantity = cart::parse_quantity(&self.quantity, 1).ok()?;
            cart.set(product.slug, 0);
            cart.add(product, quantity);
        }
        Some(cart)
    }
}

/// What the page is told to do next.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Next {
    /// The order exists.
    Done { location: String },
    /// Not known yet.
    Waiting { location: String },
    /// Klarna does not make an order of it.
    Declined,
    /// The approval cannot be used (any more); approve again.
    Again,
    /// Send the same message again in a moment.
    Retry,
    /// The shop itself is at fault.
    Failed,
}

/// `POST /checkout/confirm`. May be repeated: the gateway makes one order of one approval.
pub(crate) async fn confirm(message: Message<Approval>) -> Response {
    let Message { mut visit, body } = message;
    if !is_checkout_id(&body.checkout_id) || body.authorization_token.is_empty() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let id = body.checkout_id;
    let waiting = || Next::Waiting { location: waiting_for(&id) };
    let gateway = visit.app().gateway.clone();
    let (status, next) = match gateway.confirm(&id, &body.authorization_token).await {
        Ok(Confirmed::Done(checkout)) => match checkout.status {
            CheckoutStatus::Completed => (StatusCode::OK, done(&mut visit, &checkout)),
            CheckoutStatus::Declined => (StatusCode::OK, Next::Declined),
            CheckoutStatus::Open
            | CheckoutStatus::Confirming
            | CheckoutStatus::Expired
            | CheckoutStatus::Cancelled
            | CheckoutStatus::Unknown(_) => (StatusCode::ACCEPTED, waiting()),
        },
        Ok(Confirmed::InDoubt) => (StatusCode::ACCEPTED, waiting()),
        Err(error) => {
            report(&error, "a checkout was not confirmed");
            match error.status() {
                Some(StatusCode::PAYMENT_REQUIRED) => (StatusCode::OK, Next::Declined),
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    (StatusCode::BAD_GATEWAY, Next::Failed)
                }
                // Klarna said no to the gateway itself: asking again does not help.
                _ if matches!(error.code(), Some("credentials_refused" | "klarna_refused")) => {
                    (StatusCode::BAD_GATEWAY, Next::Failed)
                }
                _ if error.is_passing() => (StatusCode::SERVICE_UNAVAILABLE, Next::Retry),
                // Refused; perhaps because the order exists already, so the truth is read.
                _ => match gateway.checkout(&id).await {
                    Ok(checkout) if checkout.status == CheckoutStatus::Completed => {
                        (StatusCode::OK, done(&mut visit, &checkout))
                    }
                    Ok(checkout) if checkout.status == CheckoutStatus::Declined => {
                        (StatusCode::OK, Next::Declined)
                    }
                    Ok(checkout) if checkout.status == CheckoutStatus::Confirming => {
                        (StatusCode::ACCEPTED, waiting())
                    }
                    Err(error) if error.is_passing() => {
                        (StatusCode::SERVICE_UNAVAILABLE, Next::Retry)
                    }
                    Ok(_) | Err(_) => (StatusCode::OK, Next::Again),
                },
            }
        }
    };
    visit.answer((status, Json(next)).into_response())
}

fn done(visit: &mut Visit, checkout: &Checkout) -> Next {
    settle(visit, checkout);
    let own = format!("/confirmation?checkout={}", checkout.id);
    // Klarna wants the shopper to come by its own page first and leads back to ours.
    let location = checkout
        .redirect_url
        .as_deref()
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map_or(own, str::to_owned);
    Next::Done { location }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct WaitingQuery {
    #[serde(default)]
    checkout: String,
}

/// `GET /checkout/waiting`
pub(crate) async fn waiting(visit: Visit, Query(query): Query<WaitingQuery>) -> Response {
    if !is_checkout_id(&query.checkout) {
        return super::missing(visit);
    }
    // The page's script asks again and again; a browser without scripts comes here again instead.
    if let Ok(checkout) = visit.app().gateway.checkout(&query.checkout).await
        && checkout.status != CheckoutStatus::Confirming
        && !is_being_paid(&checkout)
    {
        return visit.go(&format!("/confirmation?checkout={}", checkout.id));
    }
    let page = pages::checkout::waiting(&visit, &query.checkout);
    let mut response = visit.page(StatusCode::OK, page);
    response.headers_mut().insert("refresh", HeaderValue::from_static("10"));
    response
}

/// `GET /checkout/status`: what the waiting page asks.
pub(crate) async fn status(visit: Visit, Query(query): Query<WaitingQuery>) -> Response {
    #[derive(Serialize)]
    struct Status {
        status: &'static str,
        location: Option<String>,
    }
    if !is_checkout_id(&query.checkout) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (status, location) = match visit.app().gateway.checkout(&query.checkout).await {
        Ok(checkout) => match checkout.status {
            CheckoutStatus::Completed => {
                ("done", Some(format!("/confirmation?checkout={}", checkout.id)))
            }
            CheckoutStatus::Confirming => ("waiting", None),
            CheckoutStatus::Open if is_being_paid(&checkout) => ("waiting", None),
            CheckoutStatus::Open => ("open", Some("/checkout".to_owned())),
            CheckoutStatus::Declined
            | CheckoutStatus::Expired
            | CheckoutStatus::Cancelled
            | CheckoutStatus::Unknown(_) => {
                ("over", Some(format!("/confirmation?checkout={}", checkout.id)))
            }
        },
        Err(error) if error.is_passing() => ("unknown", None),
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    };
    visit.answer(Json(Status { status, location }).into_response())
}

/// `POST /checkout/pay`: the form as forms are sent. Klarna's own page, the other way to pay, or the way
/// when there is nothing to pay.
pub(crate) async fn pay(posted: Posted) -> Response {
    if posted.visit.cart.is_empty() {
        return posted.visit.go("/cart");
    }
    let mut form = check_form(&posted);
    let free = posted.visit.cart.bill(posted.visit.view).total == 0;
    let by_klarna = form.method.starts_with("klarna") && !free;
    // An app on the home screen has no windows of its own for Klarna: it says so, and goes to the page.
    let on_page = posted.visit.app().way == CheckoutWay::Hosted || !posted.get("hosted").is_empty();
    if by_klarna && on_page {
        if !form.problems.is_empty() {
            return show_form(posted.visit, StatusCode::UNPROCESSABLE_ENTITY, form).await;
        }
        let who = who(&posted, &form);
        return to_klarna(posted.visit, &who, form).await;
    }
    let visit = posted.visit;
    let monthly = visit.cart.monthly().is_some();
    if !free && (form.method != "transfer" || monthly) {
        // Only a browser without scripts gets here.
        form.notice = Some(visit.texts().klarna_needs_scripts);
    }
    if !form.problems.is_empty() || form.notice.is_some() {
        return show_form(visit, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    }
    pay_by_transfer(visit).await
}

/// Opens or refreshes the checkout, and sends the browser to Klarna's page.
async fn to_klarna(mut visit: Visit, who: &Who, form: Form) -> Response {
    let checkout = match ready(&mut visit, Channel::Hosted, Some(who)).await {
        Ready::Open(checkout) => checkout,
        Ready::Go(path) => return visit.go(&path),
        Ready::Unavailable => {
            let payment = Payment::KlarnaUnavailable;
            let page = pages::checkout::page(&visit, &payment, &form);
            return visit.page(StatusCode::SERVICE_UNAVAILABLE, page);
        }
    };
    let gateway = visit.app().gateway.clone();
    // A page that the shopper has called off needs a successor.
    let address = match checkout.redirect_url {
        Some(address) => Some(address),
        None => match gateway.fresh_page(&checkout.id).await {
            Ok(checkout) => checkout.redirect_url,
            Err(error) => {
                report(&error, "a checkout got no page");
                None
            }
        },
    };
    let Some(address) = address.filter(|address| policy::is_web_address(address)) else {
        return visit.go("/checkout");
    };
    // Not a redirect: the policy of the page that sent the form lets forms go to the shop alone.
    let page = pages::checkout::leaving(&visit, &address);
    let refresh = format!("0; url={address}");
    let mut response = visit.page(StatusCode::OK, page);
    if let Ok(refresh) = HeaderValue::from_str(&refresh) {
        response.headers_mut().insert("refresh", refresh);
    }
    response
}

fn who(posted: &Posted, form: &Form) -> Who {
    let market = posted.visit.market();
    let read = |prefix: &str| {
        let mut address = Address::new();
        address.insert("country", market.country.to_owned());
        for field in address::CONTACT {
            address.insert(field.name, posted.get(field.name).trim().to_owned());
        }
        for field in address::place(market) {
            let value = posted.get(&format!("{prefix}{}", field.name)).trim().to_owned();
            address.insert(field.name, value);
        }
        address.retain(|_, value| !value.is_empty());
        address
    };
    Who { billing: read(""), shipping: form.elsewhere.then(|| read("shipping_")) }
}

async fn pay_by_transfer(mut visit: Visit) -> Response {
    if let Some(id) = visit.draft.as_ref().and_then(|draft| draft.checkout_id.clone())
        && let Some(elsewhere) = call_off(&visit, &id).await
    {
        return visit.go(&elsewhere);
    }
    let bill = visit.cart.bill(visit.view);
    // A number of its own: the Klarna checkout under way keeps the one it was opened with.
    let reference = order_number(service::random::bytes());
    visit.note_order(OrderNote {
        reference: reference.clone(),
        checkout_id: None,
        placed_at_ms: visit.app().clock.now_ms(),
        amount: bill.total,
        currency: visit.market().currency.code().to_owned(),
        subscription_id: None,
    });
    visit.empty_cart();
    visit.forget_draft();
    visit.go(&format!("/confirmation?order={reference}"))
}

/// Calls the Klarna checkout off before the order is placed in another way, so that a page left
/// open in another tab cannot make a second order of the same cart. If an order was already made
/// of it, says where the shopper finds that one.
pub(crate) async fn call_off(visit: &Visit, id: &str) -> Option<String> {
    let gateway = &visit.app().gateway;
    let Err(error) = gateway.cancel(id).await else { return None };
    report(&error, "a checkout was not called off");
    match gateway.checkout(id).await.ok()?.status {
        CheckoutStatus::Completed => Some(confirmation_of(id)),
        CheckoutStatus::Confirming => Some(waiting_for(id)),
        CheckoutStatus::Open
        | CheckoutStatus::Declined
        | CheckoutStatus::Expired
        | CheckoutStatus::Cancelled
        | CheckoutStatus::Unknown(_) => None,
    }
}

/// Whether Klarna's page says that it was paid, and the gateway has not drawn its conclusion yet.
pub(crate) fn is_being_paid(checkout: &Checkout) -> bool {
    checkout.status == CheckoutStatus::Open && checkout.page_status() == Some("completed")
}

fn check_form(posted: &Posted) -> Form {
    let visit = &posted.visit;
    let texts = visit.texts();
    let elsewhere = !posted.get("elsewhere").is_empty();
    let place = address::place(visit.market());
    let mut values = HashMap::new();
    let mut problems = HashMap::new();
    let mut check = |prefix: &str, field: &Field| {
        let name = format!("{prefix}{}", field.name);
        let value: String = posted.get(&name).chars().take(200).collect();
        if let Some(problem) = address::problem(field, &value, visit.market(), texts) {
            problems.insert(name.clone(), problem);
        }
        values.insert(name, value);
    };
    for field in address::CONTACT.iter().chain(place) {
        check("", field);
    }
    if elsewhere {
        for field in place {
            check("shipping_", field);
        }
    }
    let method: String = posted.get("method").chars().take(60).collect();
    Form { values, problems, elsewhere, method, notice: None }
}
