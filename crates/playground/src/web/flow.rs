//! `POST /kp/v1/flow` begins a purchase flow; `POST /kp/v1/flow/{flow_id}/{action}` is one command.
//!
//! A command, the decision it may lead to, the token and the callback are one unit of work: after a
//! crash either all of it happened or none, and the page asks again.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use klarna_types::payments::SessionBody;
use klarna_types::{Address, AuthorizationToken, Country, Customer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;
use storage::Tx;

use crate::app::App;
use crate::domain::content::{self, Stage};
use crate::domain::decision::{self, Account};
use crate::domain::flow::delivery::Delivery;
use crate::domain::flow::offer::Offer;
use crate::domain::flow::{
    Answer, AnswerError, Assessment, Beginning, Contact, Express, Finalizing, Flow, Host, Kind,
    Next, Profile, Rejection,
};
use crate::domain::identity::grant::TokenKind;
use crate::domain::page_answer::PageAnswer;
use crate::domain::persons;
use crate::domain::session::{Session, SessionRefusal};
use crate::hosting::{self, HostingError, Scene};
use crate::identity::digest;
use crate::in_store::Making;
use crate::placing::Names;
use crate::shopper::{
    self, Attempt, Call, Finalization, Loaded, Outcome, Reply, ShopperError, bad_paths,
};
use crate::store::flows::{self, StoredFlow};
use crate::store::{StoreError, identity, sessions};
use crate::web::caller::{Caller, WebError, json};
use crate::web::express;
use crate::web::load::{CallOptions, read_data, today};
use crate::web::view::{self, FlowView};

/// What may be long in a command: nothing that a person types is.
const MAX_ORIGIN_BYTES: usize = 512;

#[derive(Debug, Serialize)]
struct FlowAnswer {
    flow_id: String,
    view: FlowView,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Told>,
}

/// What the merchant's page is told.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    answer: Answer,
    #[serde(flatten)]
    express: Option<express::Extra>,
}

#[derive(Debug, Deserialize)]
struct BeginRequest {
    page_origin: String,
    kind: Kind,
    #[serde(default)]
    options: CallOptions,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    express: Option<ExpressRequest>,
    /// The payment request that it is for.
    #[serde(default)]
    payment_request: Option<String>,
}

/// That an Express button began it.
#[derive(Debug, Deserialize)]
struct ExpressRequest {
    #[serde(default)]
    collect_shipping_address: bool,
}

impl BeginRequest {
    fn finalizing(&self) -> Finalizing {
        match (self.options.is_finalized_separately(), &self.express) {
            (false, _) => Finalizing::Automatic,
            (true, None) => Finalizing::Separate,
            (true, Some(_)) => Finalizing::Always,
        }
    }
}

/// The handler of a beginning.
pub(super) async fn begin(
    State(app): State<App>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, WebError> {
    let mut request: BeginRequest = read(&body)?;
    let page_origin = checked_origin(std::mem::take(&mut request.page_origin))?;
    let now = app.clock().now();
    let today = today(&app);
    let Taken { session, invalid_fields, show_form } =
        take_data(&app, &caller, &request.data).await?;
    let merchant_directory = app.directory();
    let collects_address =
        request.express.as_ref().is_some_and(|express| express.collect_shipping_address);
    let beginning = Beginning {
        kind: request.kind,
        categories: request.options.categories(),
        finalizing: request.finalizing(),
        purchase: view::purchase(&session.body),
        known_contact: known_contact(&session.body),
        earlier: None,
        preferred: request.options.preferred(),
        express: request.express.as_ref().map(|_| Express { collects_address }),
        delivery: collects_address.then(Delivery::default),
    };
    // Drawn outside: the unit of work may be run again, and must then do the same.
    let flow_id = service::random::uuid().to_string();
    let token = AuthorizationToken::new(service::random::uuid().to_string());
    let names = Names::draw();
    let scene = Scene::new(&app);
    let payment_request = request.payment_request.take();
    let base_url = app.base_url().to_owned();
    let (stored, session) = app
        .db()
        .write(move |tx| -> Result<_, WebError> {
            let earlier = flows::last_approved(tx, &session.session_id)?;
            let mut beginning = Beginning { earlier, ..beginning.clone() };
            if let Some(id) = &payment_request {
                let wanted = hosting::begin_request(tx, id, &session, now).map_err(gone)?;
                beginning.delivery = wanted.delivery();
            }
            let kind = beginning.kind;
            let (mut flow, mut next) = Flow::begin(beginning, today);
            flow.host = payment_request.clone().map(Host::PaymentRequest);
            if kind == Kind::Authorize
                && let Some(contact) = signed_in(tx, &session.body, now.as_millisecond())?
                && let Ok(further) = flow.recognise(contact, |it| assess(it, &session.body), today)
            {
                next = further;
            }
            let mut stored = StoredFlow {
                flow_id: flow_id.clone(),
                session_id: session.session_id.clone(),
                page_origin: page_origin.clone(),
                version: 1,
                flow,
            };
            if !invalid_fields.is_empty() {
                stored.flow.was_shown = false;
                stored.flow.settle(outcome(Outcome::invalid(invalid_fields.clone())));
            } else if !show_form {
                stored.flow.settle(outcome(Outcome::denied()));
            } else if next == Next::Decide {
                let making = Making { base_url: &base_url, names: &names, now };
                let context =
                    Context { directory: &merchant_directory, token: &token, making, now };
                decide(tx, &mut stored, &session, &context)?;
            }
            flows::insert(tx, &stored, now.as_millisecond())?;
            if stored.flow.step.is_end() {
                hosting::follow(tx, &stored.flow, &scene)?;
            }
            Ok((stored, session.clone()))
        })
        .await?;
    app.wake();
    answer(&app, &stored, &session, None)
}

/// The session with the page's data in it, and what was wrong with them.
struct Taken {
    session: Session,
    invalid_fields: Vec<String>,
    show_form: bool,
}

async fn take_data(app: &App, caller: &Caller, data: &Value) -> Result<Taken, WebError> {
    let refused = |session: Session, paths: Vec<String>| Taken {
        session,
        invalid_fields: paths,
        show_form: true,
    };
    let session_id = caller.session_id.clone();
    let data = match read_data(data) {
        Ok(data) => data,
        Err(path) => return Ok(refused(shopper::session(app, session_id).await?, vec![path])),
    };
    match shopper::load(app, session_id.clone(), data).await {
        Ok(Loaded { session, show_form, .. }) => {
            let invalid_fields = content::invalid_fields(&session.body, Stage::Authorize);
            Ok(Taken { session, invalid_fields, show_form })
        }
        Err(ShopperError::BadValue(problems)) => {
            Ok(refused(shopper::session(app, session_id).await?, bad_paths(&problems)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Who signed in with Klarna, where the shop has sent along an access token that is still good for a payment.
fn signed_in(
    tx: &mut Tx<'_>,
    body: &SessionBody,
    now_ms: i64,
) -> Result<Option<Contact>, StoreError> {
    let token = body.customer.as_ref().and_then(|customer| customer.klarna_access_token.as_ref());
    let Some(token) = token else { return Ok(None) };
    let found = identity::peek_token(tx, &digest(token.expose()))?;
    Ok(found
        .filter(|(token, _)| token.is_good(TokenKind::Access, now_ms) && token.scopes.may_pay())
        .map(|(_, grant)| Contact::Email(grant.account.email)))
}

pub(super) fn known_contact(body: &SessionBody) -> Option<String> {
    let address = body.billing_address.as_ref()?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    given(&address.email).or_else(|| given(&address.phone))
}

#[derive(Debug, Deserialize)]
struct ActRequest {
    page_origin: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    offer: String,
    #[serde(default)]
    option: String,
    #[serde(default)]
    street_address2: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    country: Option<Country>,
    #[serde(default)]
    phone: Option<String>,
    /// What the merchant's page says to it, if it was asked.
    #[serde(default)]
    page: Value,
    #[serde(flatten)]
    profile: Profile,
}

impl ActRequest {
    fn address(self) -> Address {
        let Self { profile, street_address2, region, country, phone, .. } = self;
        Address {
            given_name: Some(profile.given_name),
            family_name: Some(profile.family_name),
            street_address: Some(profile.street_address),
            street_address2,
            postal_code: Some(profile.postal_code),
            city: Some(profile.city),
            region,
            country,
            phone,
            ..Address::default()
        }
    }
}

/// A command, as the page sends it.
#[derive(Debug, Clone)]
enum Command {
    Resume,
    Identify(String),
    Code(String),
    Back,
    SignUp(Profile),
    StepUp(String),
    DeliverTo(Box<Address>, PageAnswer),
    Ship(String, PageAnswer),
    Choose(String),
    Confirm,
    Leave,
}

impl Command {
    fn read(action: &str, request: ActRequest) -> Option<Self> {
        Some(match action {
            "resume" => Self::Resume,
            "identify" => Self::Identify(request.contact),
            "code" => Self::Code(request.code),
            "back" => Self::Back,
            "sign_up" => Self::SignUp(request.profile),
            "step_up" => Self::StepUp(request.answer),
            "deliver_to" => {
                let says = PageAnswer::read(&request.page);
                Self::DeliverTo(Box::new(request.address()), says)
            }
            "ship" => Self::Ship(request.option, PageAnswer::read(&request.page)),
            "choose" => Self::Choose(request.offer),
            "confirm" => Self::Confirm,
            "abort" => Self::Leave,
            _ => return None,
        })
    }

    /// Whether it makes sense for a session that is over: what was decided can still be asked.
    fn needs_open_session(&self) -> bool {
        !matches!(self, Self::Resume | Self::Leave)
    }

    /// Does it. What it changes of the session's data is in `session` afterwards.
    fn apply(
        &self,
        flow: &mut Flow,
        session: &mut Session,
        today: Date,
    ) -> Result<Next, Rejection> {
        match self {
            Self::Resume => Ok(Next::Show),
            Self::Identify(contact) => {
                flow.identify(contact, |contact| assess(contact, &session.body))
            }
            Self::Code(code) => flow.enter_code(code, today),
            Self::Back => flow.back(),
            Self::SignUp(profile) => flow.sign_up(profile.clone(), today),
            Self::StepUp(answer) => flow.step_up(answer, today),
            Self::DeliverTo(address, page) => {
                let (body, address) = delivered(flow, session, address, page);
                let problems = content::invalid_fields(&body, Stage::Authorize);
                let problem = problems.iter().find(|path| path.starts_with("shipping_address."));
                let purchase = view::purchase(&body);
                let says = page.says();
                let next =
                    flow.deliver_to(address, problem.map(String::as_str), says, purchase, today)?;
                session.body = body;
                Ok(next)
            }
            Self::Ship(option, page) => {
                let body = page.change(session.body.clone());
                let next = flow.ship(option, &page.says(), view::purchase(&body), today)?;
                session.body = body;
                Ok(next)
            }
            Self::Choose(offer) => flow.choose(offer),
            Self::Confirm => flow.confirm(&view::purchase(&session.body), today),
            Self::Leave => {
                flow.leave();
                Ok(Next::Show)
            }
        }
    }
}

/// The handler of a command.
pub(super) async fn act(
    State(app): State<App>,
    Path((flow_id, action)): Path<(String, String)>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, WebError> {
    let mut request: ActRequest = read(&body)?;
    let page_origin = checked_origin(std::mem::take(&mut request.page_origin))?;
    let command = Command::read(&action, request).ok_or(WebError::UnknownAction)?;
    let now = app.clock().now();
    let today = today(&app);
    let directory = app.directory();
    let token = AuthorizationToken::new(service::random::uuid().to_string());
    let scene = Scene::new(&app);
    let names = Names::draw();
    let base_url = app.base_url().to_owned();
    let (stored, session, rejection) = app
        .db()
        .write(move |tx| -> Result<_, WebError> {
            let mut stored =
                flows::find(tx, &caller.session_id, &flow_id)?.ok_or(WebError::UnknownFlow)?;
            if stored.page_origin != page_origin {
                return Err(WebError::OtherOrigin);
            }
            let mut session = sessions::find(tx, &caller.session_id)?
                .ok_or(ShopperError::Session(SessionRefusal::Gone))?;
            if stored.flow.step.is_end() {
                return Ok((stored, session, None));
            }
            if command.needs_open_session() {
                session.check_open(now.as_millisecond()).map_err(ShopperError::Session)?;
            }
            let before = stored.flow.clone();
            let data_before = session.body.clone();
            if let Some(host) = &stored.flow.host
                && command.needs_open_session()
            {
                hosting::check(tx, host, now).map_err(gone)?;
            }
            let outcome = command.apply(&mut stored.flow, &mut session, today);
            if session.body != data_before {
                session.version += 1;
                sessions::update(tx, &session, sessions::Event::Loaded, now.as_millisecond())?;
            }
            if outcome == Ok(Next::Decide) {
                let making = Making { base_url: &base_url, names: &names, now };
                let context = Context { directory: &directory, token: &token, making, now };
                decide(tx, &mut stored, &session, &context)?;
            }
            if stored.flow != before {
                flows::update(tx, &mut stored, now.as_millisecond())?;
                hosting::follow(tx, &stored.flow, &scene)?;
            }
            Ok((stored, session, outcome.err()))
        })
        .await?;
    app.wake();
    answer(&app, &stored, &session, rejection)
}

/// What a flow runs for is over.
fn gone(error: HostingError) -> WebError {
    match error {
        HostingError::Store(error) => error.into(),
        _ => WebError::SessionEnded,
    }
}

/// The session's data with an address that the shopper gave and what the page makes of it; and the address with
/// what is known of the shopper besides.
fn delivered(
    flow: &Flow,
    session: &Session,
    address: &Address,
    page: &PageAnswer,
) -> (SessionBody, Address) {
    let mut body = page.change(session.body.clone());
    let billing = body.billing_address.clone().unwrap_or_default();
    let (mut email, mut phone) = (billing.email, billing.phone);
    match &flow.contact {
        Some(Contact::Email(text)) => email = Some(text.clone()),
        Some(Contact::Phone(text)) => phone = Some(text.clone()),
        None => {}
    }
    let person = persons::find(&flow.purchase.country, persons::Kind::Approved);
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let address = Address {
        email: email.or_else(|| person.map(|person| person.email.to_owned())),
        phone: given(&address.phone)
            .or(phone)
            .or_else(|| person.map(|person| person.phone.to_owned())),
        country: address.country.clone().or_else(|| Some(flow.purchase.country.clone())),
        region: given(&address.region),
        street_address2: given(&address.street_address2),
        ..address.clone()
    };
    body.shipping_address = Some(address.clone());
    body.billing_address.get_or_insert_with(|| address.clone());
    (body, address)
}

/// What an e-mail address asks for; of a phone number nothing is known, so the billing address's
/// e-mail decides.
fn assess(contact: &Contact, body: &SessionBody) -> Assessment {
    let known = body.billing_address.as_ref().and_then(|address| address.email.as_deref());
    let Some(email) = (match contact {
        Contact::Email(email) => Some(email.as_str()),
        Contact::Phone(_) => known,
    }) else {
        return Assessment::default();
    };
    Assessment {
        sign_up: decision::account(email) == Account::New,
        step_up: decision::step_up(email),
        hopeless: decision::is_hopeless(email),
    }
}

/// What a decision is made with.
struct Context<'a> {
    directory: &'a crate::api::auth::Directory,
    token: &'a AuthorizationToken,
    making: Making<'a>,
    now: Timestamp,
}

/// The shopper has done their part: lets the decision be made, with all its effects.
fn decide(
    tx: &mut Tx<'_>,
    stored: &mut StoredFlow,
    session: &Session,
    context: &Context<'_>,
) -> Result<(), WebError> {
    let attempt = attempt(&stored.flow, session);
    match shopper::authorize_in(tx, context.directory, &attempt, context.token, &context.making) {
        Ok(Reply::Done(done)) => stored.flow.settle(outcome(done)),
        Ok(Reply::StepUp(step_up)) => stored.flow.ask(step_up),
        Err(ShopperError::NothingToFinalize) => {
            stored.flow.settle(already_final(tx, session, context)?);
        }
        Err(ShopperError::BadValue(problems)) => {
            stored.flow.settle(outcome(Outcome::invalid(bad_paths(&problems))));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn attempt(flow: &Flow, session: &Session) -> Attempt {
    let call = match flow.kind {
        Kind::Authorize => Call::Authorize,
        Kind::Reauthorize => Call::Reauthorize,
        Kind::Finalize => Call::Finalize,
    };
    let mut attempt = Attempt::new(call, session.session_id.clone());
    match &flow.contact {
        Some(Contact::Email(email)) => attempt.email = Some(email.clone()),
        Some(Contact::Phone(phone)) => attempt.phone = Some(phone.clone()),
        None => {}
    }
    if let Some(profile) = &flow.profile {
        let customer = session.body.customer.clone().unwrap_or_default();
        let born = Some(profile.date_of_birth.clone());
        attempt.data.customer = Some(Customer { date_of_birth: born, ..customer });
    }
    attempt.step_up = flow.step_up_outcome;
    attempt.plan = flow.chosen_offer().map(Offer::payment_method);
    attempt.finalization = match flow.finalizing {
        Finalizing::Automatic => Finalization::Automatic,
        Finalizing::Separate => Finalization::OnRequest,
        Finalizing::Always => Finalization::Always,
    };
    attempt.express = flow.express.is_some();
    attempt
}

/// `finalize` after an approval that was final already: the token still stands, or nothing does.
fn already_final(
    tx: &mut Tx<'_>,
    session: &Session,
    context: &Context<'_>,
) -> Result<Answer, StoreError> {
    let mut answer = outcome(Outcome::denied());
    let Some(token) = &session.authorization_token else { return Ok(answer) };
    let authorization = sessions::find_authorization(tx, &session.merchant_id, token.expose())?;
    let now_ms = context.now.as_millisecond();
    if authorization.is_some_and(|known| known.stands(now_ms)) {
        answer.approved = true;
        answer.show_form = Some(true);
        answer.authorization_token = Some(token.expose().to_owned());
    }
    Ok(answer)
}

pub(super) fn outcome(outcome: Outcome) -> Answer {
    Answer {
        approved: outcome.approved,
        show_form: Some(outcome.show_form),
        authorization_token: outcome.authorization_token.map(|token| token.expose().to_owned()),
        finalize_required: outcome.finalize_required,
        error: outcome.error.map(|error| AnswerError { invalid_fields: error.invalid_fields }),
    }
}

fn answer(
    app: &App,
    stored: &StoredFlow,
    session: &Session,
    rejection: Option<Rejection>,
) -> Result<Response, WebError> {
    json(&FlowAnswer {
        flow_id: stored.flow_id.clone(),
        view: view::flow(&stored.flow, session, rejection),
        result: stored.flow.answer.clone().map(|mut answer| {
            let express = express::extra(app, &stored.flow, session, &mut answer);
            Told { answer, express }
        }),
    })
}

pub(super) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, WebError> {
    serde_json::from_slice(body).map_err(|error| WebError::BadBody(error.to_string()))
}

pub(super) fn checked_origin(origin: String) -> Result<String, WebError> {
    let web = origin.starts_with("https://") || origin.starts_with("http://");
    if web && origin.len() <= MAX_ORIGIN_BYTES {
        Ok(origin)
    } else {
        Err(WebError::BadBody("page_origin: an http or https origin".to_owned()))
    }
}
