//! The counter of a store: a clerk says what is bought, the shopper scans a code or gets a link, and
//! the page says how far the shopper is.
//!
//! The page's script only asks for the part that changes; without it the page reloads itself. What is
//! shown comes from the checkout, which the engine keeps in step with Klarna.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::market::{Country, MARKETS, Market, TaxLayout};
use klarna_types::{MinorUnits, TaxRate};
use maud::{Markup, html};

use super::payment::{Notice, said};
use super::{Person, format, layout, sign_in};
use crate::api::checkouts::create::{self, CreateCheckout, FinalizeInput};
use crate::api::checkouts::{cancel, page as pages_api};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::cart::{LineInput, LineKind, PricesMode};
use crate::domain::checkout::{CaptureMode, Checkout, Intent, Status};
use crate::domain::hosted::{Channel, PageStatus};
use crate::domain::idempotency;
use crate::engine::pages::{self, SendTo};
use crate::fault::Fault;
use crate::store::answers::{self, Found};
use crate::store::stores::Store;
use crate::store::{checkouts, payments, stores};

/// A code on a screen is not left there: whoever wants to pay stands before it.
const CODE_LIFE_MS: i64 = 30 * 60 * 1000;
/// A message may be read later.
const LINK_LIFE_MS: i64 = 46 * 60 * 60 * 1000;
/// So many lines can be typed in.
const LINES: usize = 4;

/// How the shopper is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    #[default]
    Code,
    Sms,
    Email,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "qr",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "sms" => Self::Sms,
            "email" => Self::Email,
            _ => Self::Code,
        }
    }
}

/// What a form carries.
#[derive(Default)]
struct Fields {
    csrf: String,
    key: String,
    country: String,
    reference: String,
    tax: String,
    names: Vec<String>,
    quantities: Vec<String>,
    prices: Vec<String>,
    way: Way,
    phone: String,
    email: String,
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.trim().to_owned();
            match name.as_ref() {
                "csrf" => fields.csrf = value,
                "key" => fields.key = value,
                "country" => fields.country = value,
                "reference" => fields.reference = value,
                "tax" => fields.tax = value,
                "name" => fields.names.push(value),
                "quantity" => fields.quantities.push(value),
                "price" => fields.prices.push(value),
                "way" => fields.way = Way::from_name(&value),
                "phone" => fields.phone = value,
                "email" => fields.email = value,
                _ => {}
            }
        }
        fields
    }

    fn text(list: &[String], index: usize) -> &str {
        list.get(index).map_or("", String::as_str)
    }

    /// What is bought; an error names what is not understood.
    fn lines(&self) -> Result<Vec<LineInput>, String> {
        let country = Country::from(self.country.as_str());
        let market = country.market().ok_or("Choose a country in which Klarna is offered.")?;
        let tax_rate = tax_rate(&self.tax).ok_or("Give the tax rate in percent, such as 25.")?;
        let mut lines = Vec::new();
        for index in 0..self.prices.len().min(LINES) {
            let price = Self::text(&self.prices, index);
            if price.is_empty() {
                continue;
            }
            let unit_price: MinorUnits = format::read_money(price, &market.currency)
                .filter(|price| price.is_positive())
                .ok_or_else(|| {
                    format!("\"{price}\" is not an amount in {}.", market.currency.as_str())
                })?;
            let quantity = Self::text(&self.quantities, index);
            let quantity = if quantity.is_empty() { "1" } else { quantity };
            let quantity = quantity
                .parse()
                .ok()
                .filter(|quantity| (1..=100_000_i64).contains(quantity))
                .ok_or_else(|| format!("\"{quantity}\" is not a quantity."))?;
            let name = Self::text(&self.names, index);
            lines.push(LineInput {
                kind: LineKind::Physical,
                reference: None,
                name: if name.is_empty() { "Purchase".to_owned() } else { name.to_owned() },
                quantity,
                unit_price,
                tax_rate,
                discount: None,
                image_url: None,
                product_url: None,
            });
        }
        if lines.is_empty() { Err("Say how much is to be paid.".to_owned()) } else { Ok(lines) }
    }

    fn send_to(&self) -> Result<Option<SendTo>, String> {
        match self.way {
            Way::Code => Ok(None),
            Way::Sms if self.phone.is_empty() => {
                Err("Give the number that the message goes to.".to_owned())
            }
            Way::Email if self.email.is_empty() => {
                Err("Give the address that the message goes to.".to_owned())
            }
            Way::Sms => Ok(Some(SendTo::Sms {
                phone: self.phone.clone(),
                phone_country: self.country.clone(),
            })),
            Way::Email => Ok(Some(SendTo::Email { email: self.email.clone() })),
        }
    }
}

/// `25` or `7.5` percent, in hundredths of a percent.
fn tax_rate(text: &str) -> Option<TaxRate> {
    let text = text.trim_end_matches('%').trim().replace(',', ".");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 2 || !digits_only(whole) || !digits_only(fraction) {
        return None;
    }
    let rate: i64 = format!("{whole}{fraction:0<2}").parse().ok()?;
    (0..=10_000).contains(&rate).then(|| TaxRate::new(rate))
}

/// The counter, ready for the next purchase.
pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    form_page(&app, &person, StatusCode::OK, None, Fields::default()).await
}

async fn store_of(app: &App, person: &Person) -> Result<Store, Fault> {
    let id = person.store_id.clone();
    let wanted = id.clone();
    let store = app.database().read(move |tx| stores::get(tx, &wanted)).await?;
    store.ok_or_else(|| Fault::inconsistent(format!("store {id} is gone")))
}

async fn form_page(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
    mut fields: Fields,
) -> Response {
    let store = match store_of(app, person).await {
        Ok(store) => store,
        Err(fault) => return layout::failed(&fault),
    };
    if fields.country.is_empty() {
        let premises = store.details.premises.country.as_deref();
        premises.unwrap_or("SE").clone_into(&mut fields.country);
    }
    let key = app.engine().fresh_id("form");
    let content = form(&store, person, notice.as_ref(), &fields, &key);
    (status, layout::page("Counter", Some(person), &content)).into_response()
}

fn form(
    store: &Store,
    person: &Person,
    notice: Option<&Notice>,
    fields: &Fields,
    key: &str,
) -> Markup {
    let text = |list: &[String], index: usize| Fields::text(list, index).to_owned();
    html! {
        div.head { h1 { "Counter" } p.muted { (store.name) } }
        (said(notice))
        form.card.counter method="post" action="/dashboard/counter" data-busy {
            input type="hidden" name="csrf" value=(person.csrf_token);
            input type="hidden" name="key" value=(key);
            div.pair {
                div {
                    label for="price-0" { "Amount" }
                    input.amount #price-0 name="price" inputmode="decimal" autocomplete="off" required
                        autofocus placeholder="0.00" value=(text(&fields.prices, 0));
                }
                div {
                    label for="country" { "Country and currency" }
                    select #country name="country" {
                        @for market in MARKETS {
                            option value=(market.country.as_str())
                                selected[market.country.as_str() == fields.country] {
                                (market.country.as_str()) " · " (market.currency.as_str())
                            }
                        }
                    }
                }
            }
            div.pair {
                div {
                    label for="name-0" { "What is bought" }
                    input #name-0 name="name" autocomplete="off" maxlength="255"
                        placeholder="Purchase" value=(text(&fields.names, 0));
                }
                div {
                    label for="reference" { "Receipt number" }
                    input #reference name="reference" autocomplete="off" maxlength="255" required
                        value=(fields.reference);
                }
            }
            input type="hidden" name="quantity" value="1";
            details.action open[fields.prices.iter().skip(1).any(|price| !price.is_empty())] {
                summary { "More lines, and tax" }
                div.pair {
                    div {
                        label for="tax" { "Tax rate in percent" }
                        input #tax name="tax" inputmode="decimal" autocomplete="off"
                            value=(if fields.tax.is_empty() { "25" } else { fields.tax.as_str() });
                    }
                }
                @for index in 1..LINES {
                    fieldset.line {
                        legend { "Line " (index + 1) }
                        div {
                            label for={ "name-" (index) } { "What" }
                            input id={ "name-" (index) } name="name" autocomplete="off"
                                maxlength="255" value=(text(&fields.names, index));
                        }
                        div {
                            label for={ "quantity-" (index) } { "Quantity" }
                            input id={ "quantity-" (index) } name="quantity" inputmode="numeric"
                                autocomplete="off" value=(text(&fields.quantities, index));
                        }
                        div {
                            label for={ "price-" (index) } { "Price of one" }
                            input id={ "price-" (index) } name="price" inputmode="decimal"
                                autocomplete="off" value=(text(&fields.prices, index));
                        }
                    }
                }
            }
            (ways(fields, ""))
            button.primary type="submit" { "Ask for payment" }
        }
    }
}

/// How the shopper is reached.
fn ways(fields: &Fields, id: &str) -> Markup {
    html! {
        fieldset.ways {
            legend { "How does the shopper pay?" }
            @for (way, words) in [
                (Way::Code, "Scan a code from this screen"),
                (Way::Sms, "Link by text message"),
                (Way::Email, "Link by e-mail"),
            ] {
                label.way {
                    input type="radio" name="way" value=(way.name()) checked[way == fields.way];
                    span { (words) }
                }
            }
            div.pair {
                div {
                    label for={ "phone" (id) } { "Phone number " span.muted { "for a text message" } }
                    input id={ "phone" (id) } name="phone" type="tel" autocomplete="off"
                        maxlength="40" value=(fields.phone);
                }
                div {
                    label for={ "email" (id) } { "E-mail address " span.muted { "for an e-mail" } }
                    input id={ "email" (id) } name="email" type="email" autocomplete="off"
                        maxlength="99" value=(fields.email);
                }
            }
        }
    }
}

fn bad(title: &str, problem: &Problem) -> Notice {
    Notice::Bad {
        title: title.to_owned(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        correlation_id: problem.correlation_id.clone(),
    }
}

fn not_understood(detail: String) -> Notice {
    Notice::Bad {
        title: "Nothing was asked of Klarna yet".to_owned(),
        detail,
        remedy: "Correct it and try again.".to_owned(),
        correlation_id: None,
    }
}

/// A purchase is asked for.
pub(super) async fn submit(State(app): State<App>, person: Person, body: Bytes) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) || !idempotency::is_acceptable_key(&fields.key) {
        return sign_in::refused(&person);
    }
    let asked = fields.lines().and_then(|lines| Ok((lines, fields.send_to()?)));
    let (lines, to) = match asked {
        Ok(asked) => asked,
        Err(detail) => {
            let notice = Some(not_understood(detail));
            return form_page(&app, &person, StatusCode::BAD_REQUEST, notice, fields).await;
        }
    };
    match sell(&app, &person, &fields, lines, to.as_ref()).await {
        Ok(id) => at(&id),
        Err((Some(id), problem)) => {
            // The purchase is there; only its link did not go out.
            let notice = bad("The link was not sent", &problem);
            live_page(&app, &person, &id, problem.status(), Some(notice)).await
        }
        Err((None, problem)) => {
            let (status, notice) = (problem.status(), bad("Klarna was not asked", &problem));
            form_page(&app, &person, status, Some(notice), fields).await
        }
    }
}

/// The page of a purchase.
fn at(id: &str) -> Response {
    Redirect::to(&format!("/dashboard/counter/{id}")).into_response()
}

/// Opens the checkout, once for each form, and has its link sent.
async fn sell(
    app: &App,
    person: &Person,
    fields: &Fields,
    lines: Vec<LineInput>,
    to: Option<&SendTo>,
) -> Result<String, (Option<String>, Problem)> {
    let before = |problem| (None, problem);
    let prices = match Country::from(fields.country.as_str()).market().map(Market::tax_layout) {
        Some(TaxLayout::SalesTaxLine) => PricesMode::ExcludingTax,
        Some(TaxLayout::OnEachLine) | None => PricesMode::IncludingTax,
    };
    let wanted = CreateCheckout {
        merchant_reference: fields.reference.clone(),
        country: fields.country.clone(),
        locale: None,
        currency: None,
        prices,
        lines,
        confirmation_url: None,
        capture: CaptureMode::Manual,
        channel: Channel::InStore,
        finalize: FinalizeInput::Automatic,
        page: None,
        in_store: None,
        app_return_url: None,
        merchant_reference2: None,
        merchant_data: None,
        customer: None,
        billing_address: None,
        shipping_address: None,
        extra_merchant_data: None,
        custom_payment_method_ids: None,
        design: None,
        options: None,
        intent: Intent::Buy,
        customer_token: None,
        identity_id: None,
    };
    let mut opening = create::read(app, &person.store_id, wanted).await.map_err(before)?;
    opening.life_ms = if to.is_some() { LINK_LIFE_MS } else { CODE_LIFE_MS };
    let key = format!("dashboard/{}", fields.key);
    let owner = app.engine().fresh_id("own");
    // The form's key is fresh for each page: whatever comes under it is the same press.
    let fingerprint = idempotency::fingerprint("FORM", "counter", b"");
    let begun = create::begin(app, &person.store_id, &key, &fingerprint, &owner).await;
    match begun.map_err(|fault| before(fault.into()))? {
        Found::Mine => {}
        Found::Made(id) => return Ok(id),
        Found::Different | Found::InProgress => {
            return Err(before(crate::api::repeat::in_progress()));
        }
    }
    let opened = create::open(app, &person.store_id, opening, Some((&key, &owner))).await;
    let checkout = match opened {
        Ok(checkout) => checkout,
        Err(problem) => {
            let store_id = person.store_id.clone();
            let given_back =
                app.database().write(move |tx| answers::release(tx, &store_id, &key, &owner)).await;
            if let Err(error) = given_back {
                tracing::warn!(%error, "the key of a form could not be given back; it frees itself");
            }
            return Err(before(problem));
        }
    };
    let id = checkout.id.clone();
    if let Some(to) = to {
        pages_api::send_to(app, checkout, to)
            .await
            .map_err(|problem| (Some(id.clone()), problem))?;
    }
    Ok(id)
}

/// What a purchase's page shows.
struct Shown {
    checkout: Checkout,
    klarna_reference: Option<String>,
}

async fn load(app: &App, person: &Person, id: &str) -> Result<Option<Shown>, Fault> {
    let (store_id, id) = (person.store_id.clone(), id.to_owned());
    app.database()
        .read(move |tx| {
            let Some(checkout) = checkouts::get_in(tx, &store_id, &id)?
                .filter(|checkout| checkout.channel == Channel::InStore)
            else {
                return Ok(None);
            };
            let payment = match &checkout.payment_id {
                Some(payment_id) => payments::get(tx, payment_id)?,
                None => None,
            };
            let klarna_reference = payment.and_then(|payment| payment.klarna_reference);
            Ok::<_, Fault>(Some(Shown { checkout, klarna_reference }))
        })
        .await
}

fn unknown(person: &Person) -> Response {
    let detail = "There is no purchase of this counter at this address.";
    layout::message(StatusCode::NOT_FOUND, Some(person), "No such purchase", detail)
}

/// A purchase at the counter.
pub(super) async fn live(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    live_page(&app, &person, &id, StatusCode::OK, None).await
}

async fn live_page(
    app: &App,
    person: &Person,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Response {
    let shown = match load(app, person, id).await {
        Ok(Some(shown)) => shown,
        Ok(None) => return unknown(person),
        Err(fault) => return layout::failed(&fault),
    };
    let cart = &shown.checkout.cart;
    let content = html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard/counter" { "Counter" } span { (cart.merchant_reference) } }
        div.head {
            h1 { (cart.merchant_reference) }
            p.total { (format::money(cart.order_amount, &cart.currency)) }
        }
        (said(notice.as_ref()))
        div #live data-live={ "/dashboard/counter/" (id) "/live" } { (part(&shown, person)) }
        noscript { p { a.button href={ "/dashboard/counter/" (id) } { "Look again" } } }
    };
    let page = layout::page("Counter", Some(person), &content);
    with_picture((status, page).into_response(), &shown.checkout)
}

/// Lets the picture of the code be shown, which Klarna serves, and no other.
fn with_picture(mut response: Response, checkout: &Checkout) -> Response {
    let origin = checkout
        .page()
        .and_then(|page| page.qr_code_url.as_deref())
        .and_then(|url| url::Url::parse(url).ok())
        .map(|url| url.origin().ascii_serialization());
    if let Some(origin) = origin
        && let Ok(policy) = HeaderValue::from_str(&super::policy(&origin))
    {
        response.headers_mut().insert(HeaderName::from_static("content-security-policy"), policy);
    }
    response
}

/// The part of the page that changes.
pub(super) async fn live_part(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    match load(&app, &person, &id).await {
        Ok(Some(shown)) => part(&shown, &person).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(fault) => layout::failed(&fault),
    }
}

/// Where a purchase stands, for the clerk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Paying,
    Again,
    Placing,
    Paid,
    Declined,
    CalledOff,
    Over,
}

impl Stage {
    fn of(checkout: &Checkout) -> Self {
        match checkout.status {
            Status::Completed => Self::Paid,
            Status::Confirming => Self::Placing,
            Status::Cancelled => Self::CalledOff,
            Status::Expired => Self::Over,
            Status::Declined => Self::Declined,
            Status::Open => match checkout.page().map(|page| page.status) {
                Some(PageStatus::Waiting) => Self::Waiting,
                Some(PageStatus::InProgress) => Self::Paying,
                Some(PageStatus::Completed) => Self::Placing,
                Some(PageStatus::Declined | PageStatus::Back | PageStatus::Failed) => Self::Again,
                Some(PageStatus::Cancelled | PageStatus::Disabled) => Self::Declined,
                Some(PageStatus::Expired) | None => Self::Over,
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Paying => "paying",
            Self::Again => "again",
            Self::Placing => "placing",
            Self::Paid => "paid",
            Self::Declined => "declined",
            Self::CalledOff => "called-off",
            Self::Over => "over",
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => (
                "Waiting for the shopper",
                "Turn the screen to the shopper: they scan the code with their phone.",
            ),
            Self::Paying => {
                ("The shopper is paying", "They have opened Klarna's page on their phone.")
            }
            Self::Again => (
                "Not paid yet",
                "Klarna declined, or the shopper left the page. They can try again with the same code.",
            ),
            Self::Placing => ("Approved", "The order is being placed. This takes a moment."),
            Self::Paid => ("Paid", "Hand over the goods, and print both numbers on the receipt."),
            Self::Declined => (
                "Not paid",
                "The shopper called it off, or Klarna declined. Ask again, or take another way to pay.",
            ),
            Self::CalledOff => {
                ("Called off", "Nobody can pay this any more, and nothing was charged.")
            }
            Self::Over => ("Too late", "Nobody has paid in time, and nothing was charged."),
        }
    }

    fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Paying | Self::Again | Self::Declined => true,
            Self::Placing | Self::Paid | Self::CalledOff | Self::Over => false,
        }
    }
}

fn part(shown: &Shown, person: &Person) -> Markup {
    let checkout = &shown.checkout;
    let stage = Stage::of(checkout);
    let (title, text) = stage.words();
    let sent = checkout.page().and_then(|page| page.sent);
    let shows_code =
        matches!(stage, Stage::Waiting | Stage::Paying | Stage::Again) && sent.is_none();
    let code = checkout.page().and_then(|page| page.qr_code_url.as_deref()).filter(|_| shows_code);
    let goes_on = stage.is_open() || stage == Stage::Placing;
    html! {
        section.card.live data-stage=(stage.name()) data-version=(checkout.version) data-goes-on[goes_on] {
            div role="status" {
                h2.stage { (title) }
                @match sent {
                    Some((by, at_ms)) if stage == Stage::Waiting => p {
                        "Klarna has sent the link by " (if by == crate::domain::hosted::SentBy::Sms { "text message" } else { "e-mail" })
                        " at " (format::moment(at_ms)) "."
                    },
                    _ => p { (text) },
                }
            }
            @if let Some(code) = code {
                img.code src=(code) width="400" height="400" alt="Code to scan with the shopper's phone";
            }
            @if stage == Stage::Paid {
                dl.facts {
                    div { dt { "Receipt number" } dd { (checkout.cart.merchant_reference) } }
                    @if let Some(reference) = &shown.klarna_reference { div { dt { "Klarna reference" } dd { (reference) } } }
                }
                @if let Some(id) = &checkout.payment_id {
                    p { a.button href={ "/dashboard/payments/" (id) } { "Open the payment" } }
                }
            }
            @if let Some(refusal) = checkout.refusal.as_ref().filter(|_| stage.is_open()) {
                p.muted { (refusal.detail) }
            }
            @if stage.is_open() { (choices(checkout, stage, person)) }
            @if !stage.is_open() && stage != Stage::Placing {
                p { a.button.primary href="/dashboard/counter" { "Next purchase" } }
            }
        }
    }
}

fn choices(checkout: &Checkout, stage: Stage, person: &Person) -> Markup {
    let at = |action: &str| format!("/dashboard/counter/{}/{action}", checkout.id);
    html! {
        div.choices {
            @if stage == Stage::Declined || stage == Stage::Again {
                form method="post" action=(at("again")) data-busy {
                    input type="hidden" name="csrf" value=(person.csrf_token);
                    button.primary type="submit" { "Ask again" }
                }
            }
            form method="post" action=(at("cancel")) data-confirm="Call this purchase off? The shopper can no longer pay it." {
                input type="hidden" name="csrf" value=(person.csrf_token);
                button.danger type="submit" { "Call off" }
            }
        }
        details.action {
            summary { "Send a link instead" }
            form method="post" action=(at("send")) data-busy {
                input type="hidden" name="csrf" value=(person.csrf_token);
                input type="hidden" name="country" value=(checkout.cart.country.as_str());
                div.pair {
                    div {
                        label for="send-phone" { "Phone number" }
                        input #send-phone name="phone" type="tel" autocomplete="off" maxlength="40";
                    }
                    div {
                        label for="send-email" { "or e-mail address" }
                        input #send-email name="email" type="email" autocomplete="off" maxlength="99";
                    }
                }
                button type="submit" { "Send the link" }
            }
        }
    }
}

/// A button of a purchase's page.
pub(super) async fn act(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let mut fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) {
        return sign_in::refused(&person);
    }
    let checkout = match load(&app, &person, &id).await {
        Ok(Some(shown)) => shown.checkout,
        Ok(None) => return unknown(&person),
        Err(fault) => return layout::failed(&fault),
    };
    let done = match action.as_str() {
        "cancel" => cancel::call_off(&app, checkout).await.map(drop),
        "again" => match pages_api::payable(checkout) {
            Ok(checkout) => {
                pages::reopen(app.engine(), checkout).await.map(drop).map_err(Problem::from)
            }
            Err(problem) => Err(problem),
        },
        "send" => {
            fields.way = if fields.phone.is_empty() { Way::Email } else { Way::Sms };
            match fields.send_to() {
                Ok(Some(to)) => pages_api::send_to(&app, checkout, &to).await.map(drop),
                Ok(None) => Ok(()),
                Err(detail) => Err(Problem::invalid("phone", detail)),
            }
        }
        _ => return unknown(&person),
    };
    match done {
        Ok(()) => at(&id),
        Err(problem) => {
            tracing::info!(checkout.id = %id, code = problem.code, "a counter's wish was refused");
            let notice = bad("Nothing was changed", &problem);
            live_page(&app, &person, &id, problem.status(), Some(notice)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(body: &str) -> Result<Vec<(String, i64, i64)>, String> {
        let fields = Fields::read(body.as_bytes());
        Ok(fields
            .lines()?
            .into_iter()
            .map(|line| (line.name, line.quantity, line.unit_price.get()))
            .collect())
    }

    #[test]
    fn what_a_clerk_types_is_understood_or_refused() {
        let head = "country=SE&tax=25";
        assert_eq!(
            lines(&format!("{head}&price=129,50&quantity=1&name=")).unwrap(),
            [("Purchase".to_owned(), 1, 12_950)]
        );
        let two = format!("{head}&price=10&quantity=1&name=Cup&price=5.5&quantity=3&name=Bun");
        assert_eq!(
            lines(&two).unwrap(),
            [("Cup".to_owned(), 1, 1_000), ("Bun".to_owned(), 3, 550)]
        );
        for bad in [
            "country=SE&tax=25",
            "country=LU&tax=25&price=1",
            "country=SE&tax=lots&price=1",
            "country=SE&tax=25&price=0",
            "country=SE&tax=25&price=1.234",
            "country=SE&tax=25&price=1&quantity=0",
            "country=SE&tax=25&price=1&quantity=-3",
        ] {
            assert!(lines(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tax_is_typed_in_percent() {
        for (text, rate) in
            [("25", 2_500), ("7.5 %", 750), ("8,25", 825), ("0", 0), ("100", 10_000)]
        {
            assert_eq!(tax_rate(text), Some(TaxRate::new(rate)), "{text}");
        }
        for bad in ["", "-1", "101", "7.125", "x"] {
            assert_eq!(tax_rate(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_message_needs_somebody_to_go_to() {
        let to = |body: &str| Fields::read(body.as_bytes()).send_to();
        assert!(to("way=qr").unwrap().is_none());
        assert!(to("way=sms&country=SE").is_err() && to("way=email&phone=1").is_err());
        let shown = format!("{:?}", to("way=sms&country=SE&phone=%2B46701740615").unwrap());
        assert!(shown.contains("Sms") && !shown.contains("4670"), "{shown}");
    }
}
