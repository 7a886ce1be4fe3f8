//! `/v1/sign_ins` and `/v1/identities`: shoppers who sign in with Klarna.
//!
//! The shop begins a sign-in and sends the browser to Klarna, or takes over what Klarna's button gave to its page.
//! Either way it hears who it is once everything was checked; what Klarna tells of the person is passed on and not
//! kept.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checkouts::view::time;
use super::customers;
use super::extract::{Body, Caller};
use super::problem::Problem;
use crate::app::App;
use crate::engine::identity::{Answered, SignedIn, Trouble, Wish};
use crate::fault::Fault;
use crate::store::identities::{self, Identity};

/// What is asked for if the shop does not say: who it is, and that they are signed in when they pay.
const USUAL_SCOPE: &str = "openid offline_access payment:request:create profile:name profile:email profile:phone \
                           profile:billing_address profile:locale";

/// What a page is told of a person: the claims that Klarna documents, and nothing about the token.
const PROFILE: [&str; 16] = [
    "given_name",
    "family_name",
    "email",
    "email_verified",
    "phone",
    "phone_verified",
    "date_of_birth",
    "national_id",
    "national_identification_number",
    "national_identification_number_country",
    "billing_address",
    "shipping_address",
    "country",
    "locale",
    "gender",
    "name",
];

/// A sign-in to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginSignIn {
    /// The page of yours to which Klarna sends the browser back; registered with Klarna for your client identifier,
    /// letter by letter.
    pub redirect_uri: String,
    /// What is asked for, separated by spaces; the person's name, contact and billing address if it is left out.
    #[serde(default)]
    pub scope: Option<String>,
    /// The shopper's language, such as `sv-SE`.
    #[serde(default)]
    pub locale: Option<String>,
    /// `login` or `consent`: ask again, although it was answered before. `none`: never ask.
    #[serde(default)]
    pub prompt: Option<String>,
}

/// A sign-in that has begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInView {
    /// Its id. Keep it, with `state`, in the shopper's own session.
    pub id: String,
    /// Where to send the browser.
    pub authorization_url: String,
    /// What Klarna gives back: compare it with what came back before you finish the sign-in, so that nobody can have
    /// your shopper finish somebody else's.
    pub state: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Until when it can be finished.
    pub expires_at: String,
}

/// What Klarna answered to your page.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishSignIn {
    /// The parameter `state` of the address that the browser came back to.
    pub state: String,
    /// The parameter `code`.
    #[serde(default)]
    pub code: Option<String>,
    /// The parameter `iss`.
    #[serde(default)]
    pub iss: Option<String>,
    /// The parameter `error`.
    #[serde(default)]
    pub error: Option<String>,
}

/// What Klarna's button gave to your page.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptTokens {
    /// `user_account_linking_id_token`, or `idToken`.
    #[schema(value_type = String)]
    pub id_token: Secret,
    /// `user_account_linking_refresh_token`, or `refreshToken`. It is used at once, and worthless afterwards.
    #[schema(value_type = String)]
    pub refresh_token: Secret,
}

/// A shopper who signed in with Klarna.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IdentityView {
    /// Its id: give it as `identity_id` when you open a checkout, and the shopper is signed in when they pay.
    pub id: String,
    /// The name that Klarna gives the account, always the same.
    pub subject: String,
    /// What the shopper granted.
    pub scope: String,
    /// Your customer whose account it is, once you have linked them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// When they signed in the last time.
    pub signed_in_at: String,
    /// When they did for the first time.
    pub created_at: String,
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self {
            id: identity.id.clone(),
            subject: identity.subject.clone(),
            scope: identity.scope.clone(),
            customer_id: identity.customer_id.clone(),
            signed_in_at: time(identity.signed_in_at_ms),
            created_at: time(identity.created_at_ms),
        }
    }
}

/// A shopper who has just signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignedInView {
    /// The shopper.
    pub identity: IdentityView,
    /// What they share with you, as Klarna tells it: `given_name`, `email`, `billing_address` and so on. It is told
    /// this once, and not kept here.
    #[schema(value_type = Object)]
    pub profile: Map<String, Value>,
}

impl From<SignedIn> for SignedInView {
    fn from(signed_in: SignedIn) -> Self {
        let mut profile = signed_in.claims.all;
        profile.retain(|name, _| PROFILE.contains(&name.as_str()));
        Self { identity: IdentityView::from(&signed_in.identity), profile }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        const AGAIN: &str = "Begin a new sign-in.";
        let refused =
            |code, detail: String| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail, AGAIN);
        match trouble {
            Trouble::Fault(fault) => fault.into(),
            Trouble::NotConfigured => Self::new(
                StatusCode::CONFLICT,
                "state_conflict",
                "This gateway has no client identifier of Klarna's.",
                "Start it with --klarna-client-id, from Klarna's portal under client identifiers.",
            ),
            Trouble::Unknown => Self::not_found("sign-in that could be finished"),
            Trouble::State => {
                refused("sign_in_refused", "The state is another sign-in's.".to_owned())
            }
            Trouble::Issuer => refused(
                "sign_in_refused",
                "The answer did not come from Klarna's provider.".to_owned(),
            ),
            Trouble::Declined(error) if error == "access_denied" => {
                refused("sign_in_declined", "The shopper did not sign in.".to_owned())
            }
            Trouble::Declined(_) => {
                refused("sign_in_declined", "Klarna answered without a code.".to_owned())
            }
            Trouble::Refused => refused(
                "sign_in_refused",
                "Klarna does not take the code or the refresh token.".to_owned(),
            ),
            Trouble::Token(why) => {
                refused("sign_in_refused", format!("The ID token is not believed: {why}."))
            }
            Trouble::TwoPeople => refused(
                "sign_in_refused",
                "The ID token and the refresh token are not the same person's.".to_owned(),
            ),
            Trouble::Provider(why) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "klarna_unreachable",
                format!("Klarna's identity provider is of no use just now: {why}."),
                "Try again in a moment.",
            ),
        }
    }
}

/// Begins a sign-in with Klarna.
#[utoipa::path(post, path = "/v1/sign_ins", tag = "sign-ins",
    request_body = BeginSignIn,
    responses((status = 201, body = SignInView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    Body { value, .. }: Body<BeginSignIn>,
) -> Result<(StatusCode, Json<SignInView>), Problem> {
    let is_absolute = url::Url::parse(&value.redirect_uri)
        .is_ok_and(|url| url.fragment().is_none() && url.scheme() != "javascript");
    if !is_absolute || value.redirect_uri.len() > 2_048 {
        return Err(Problem::invalid(
            "redirect_uri",
            "redirect_uri: give the whole address of your page, without a fragment.",
        ));
    }
    let is_prompt = |prompt: &String| ["none", "login", "consent"].contains(&prompt.as_str());
    if !value.prompt.as_ref().is_none_or(is_prompt) {
        return Err(Problem::invalid("prompt", "prompt: is none, login or consent."));
    }
    let is_plain = |text: &String| {
        text.len() <= 1_024 && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
    };
    for (name, text) in [("scope", &value.scope), ("locale", &value.locale)] {
        if !text.as_ref().is_none_or(is_plain) {
            return Err(Problem::invalid(
                name,
                format!("{name}: 1 to 1024 printable ASCII characters."),
            ));
        }
    }
    let scope = value.scope.unwrap_or_else(|| USUAL_SCOPE.to_owned());
    if !scope.split(' ').any(|name| name == "openid") {
        return Err(Problem::invalid("scope", "scope: openid has to be among them."));
    }
    let wish = Wish {
        redirect_uri: value.redirect_uri,
        scope,
        locale: value.locale,
        prompt: value.prompt,
    };
    let begun = app.identity().begin(app.engine(), &caller.store_id, wish).await?;
    let view = SignInView {
        id: begun.sign_in.id,
        authorization_url: begun.authorization_url,
        state: begun.state,
        redirect_uri: begun.sign_in.redirect_uri,
        expires_at: time(begun.sign_in.expires_at_ms),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Finishes a sign-in with what Klarna answered. It can be finished once.
#[utoipa::path(post, path = "/v1/sign_ins/{id}/finish", tag = "sign-ins",
    params(("id" = String, Path)), request_body = FinishSignIn,
    responses((status = 200, body = SignedInView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn finish(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<FinishSignIn>,
) -> Result<Json<SignedInView>, Problem> {
    let answered =
        Answered { code: value.code, state: value.state, issuer: value.iss, error: value.error };
    let signed_in = app.identity().finish(app.engine(), &caller.store_id, &id, answered).await?;
    Ok(Json(signed_in.into()))
}

/// Takes over a shopper whom Klarna's button signed in on your page.
#[utoipa::path(post, path = "/v1/identities", tag = "sign-ins",
    request_body = AdoptTokens,
    responses((status = 200, body = SignedInView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn adopt(
    State(app): State<App>,
    caller: Caller,
    Body { value, .. }: Body<AdoptTokens>,
) -> Result<Json<SignedInView>, Problem> {
    let AdoptTokens { id_token, refresh_token } = value;
    let provider = app.identity();
    let signed_in =
        provider.adopt(app.engine(), &caller.store_id, &id_token, &refresh_token).await?;
    Ok(Json(signed_in.into()))
}

async fn find(app: &App, store_id: &str, id: &str) -> Result<Identity, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    let found = app.database().read(move |tx| identities::get_in(tx, &store_id, &id)).await?;
    found.ok_or_else(|| Problem::not_found("identity"))
}

/// Reads who signed in.
#[utoipa::path(get, path = "/v1/identities/{id}", tag = "sign-ins",
    params(("id" = String, Path)),
    responses((status = 200, body = IdentityView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IdentityView>, Problem> {
    Ok(Json(IdentityView::from(&find(&app, &caller.store_id, &id).await?)))
}

/// Whose account it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIdentity {
    /// Your customer; added by `POST /v1/customers`.
    pub customer_id: String,
}

/// Links who signed in with a customer of yours. Who is one customer's already does not become another's.
#[utoipa::path(post, path = "/v1/identities/{id}/link", tag = "sign-ins",
    params(("id" = String, Path)), request_body = LinkIdentity,
    responses((status = 200, body = IdentityView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn link(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<LinkIdentity>,
) -> Result<Json<IdentityView>, Problem> {
    find(&app, &caller.store_id, &id).await?;
    customers::check(&app, &caller.store_id, Some(&value.customer_id)).await?;
    let identity_id = id.clone();
    let linked = app
        .database()
        .write(move |tx| identities::link(tx, &identity_id, &value.customer_id))
        .await?;
    if !linked {
        return Err(Problem::conflict(
            "Somebody else's customer signed in with this account before.",
            "Have the shopper sign in to the account that it is linked with, or unlink it first.",
        ));
    }
    Ok(Json(IdentityView::from(&find(&app, &caller.store_id, &id).await?)))
}

/// Forgets who signed in: Klarna is told that their tokens are not needed any more.
#[utoipa::path(delete, path = "/v1/identities/{id}", tag = "sign-ins",
    params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn forget(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if app.identity().forget(app.engine(), &caller.store_id, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("identity"))
    }
}

/// An access token for a checkout of a shopper who signed in, where there is one to be had.
pub(crate) async fn access_token(
    app: &App,
    store_id: &str,
    identity_id: Option<&str>,
) -> Result<Option<Secret>, Problem> {
    let Some(id) = identity_id else { return Ok(None) };
    if find(app, store_id, id).await.is_err() {
        return Err(Problem::invalid(
            "identity_id",
            "identity_id: nobody of this id has signed in to this store.",
        ));
    }
    let token: Result<_, Fault> = app.identity().access_token(app.engine(), id).await;
    Ok(token?)
}
