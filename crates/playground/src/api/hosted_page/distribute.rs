//! `POST /hpp/v1/sessions/{session_id}/distribution`: has a link to the page sent to the shopper.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::hosted_payment_page::{
    ContactInformation, DistributeSessionBody, DistributionMethod,
};
use klarna_types::{Country, Currency, HostedSessionId, Locale, MinorUnits, validate};

use super::refusals::bad_values;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::content;
use crate::domain::hosted_page::Refusal;
use crate::domain::merchant::{Merchant, Strictness};
use crate::domain::outbox::{self, Channel, Language, Message};
use crate::domain::session::{Session, effective_country};
use crate::hosting::{self, Hosted, HostingError, Scene};
use crate::store::{hosted_pages, outbox as sent};

/// The handler.
pub(super) async fn distribute(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody { value: body, .. }: JsonBody<DistributeSessionBody>,
) -> Result<Answer, ApiError> {
    let scene = Scene::new(&app);
    let base_url = app.base_url().to_owned();
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let merchant = &caller.merchant;
            let id = HostedSessionId::new(session_id.as_str());
            let mut hosted = hosting::find(tx, &id, scene.now())?;
            if hosted.page.merchant_id != merchant.merchant_id {
                return Err(HostingError::Gone.into());
            }
            bad_values(&validate::hosted_distribution(&body), "CONSTRAINT_VIOLATION")?;
            let status = hosted.page.status;
            if status.is_final() {
                return Err(HostingError::from(Refusal::Over(status)).into());
            }
            let (channel, to) = recipient(&body, &hosted.session, merchant)?;
            let message = message(&hosted, channel, &to, &base_url);
            sent::deliver(tx, &message, scene.now_ms())?;
            // Whoever was found by it is recognised by it.
            if channel != Channel::Token {
                hosted.page.contact = Some(to);
                hosted_pages::save(tx, &hosted.page)?;
            }
            Ok(())
        })
        .await?;
    Ok(Answer::no_content())
}

/// Whom to send it to, and how.
fn recipient(
    body: &DistributeSessionBody,
    session: &Session,
    merchant: &Merchant,
) -> Result<(Channel, String), ApiError> {
    let contact = body.contact_information.clone().unwrap_or_default();
    let ContactInformation { email, phone, phone_country, access_id } = contact;
    let given = |text: Option<String>, path: &'static str| {
        text.filter(|text| !text.trim().is_empty()).ok_or_else(|| missing(path))
    };
    match &body.method {
        Some(DistributionMethod::Email) => {
            let email = given(email, "email")?;
            if !content::is_email(email.trim()) {
                return Err(violation("email", "an e-mail address"));
            }
            Ok((Channel::Email, email.trim().to_owned()))
        }
        Some(DistributionMethod::Sms) => {
            if merchant.wants(Strictness::NoTextMessages) {
                return Err(violation("method", "email or token for this account"));
            }
            let phone = given(phone, "phone")?;
            let country = phone_country.ok_or_else(|| missing("phone_country"))?;
            if !content::is_phone(phone.trim()) {
                return Err(violation("phone", "a phone number"));
            }
            let here = effective_country(&session.body).and_then(Country::market);
            let there = country.market();
            if there.is_none()
                || here.is_some_and(|here| there.map(|there| there.region) != Some(here.region))
            {
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "UNSUPPORTED_COUNTRY")
                    .message("Unsupported phone country")
                    .because(
                        "contact_information.phone_country: a country of the session's region",
                    ));
            }
            Ok((Channel::Sms, phone.trim().to_owned()))
        }
        // Validation let nothing else through.
        Some(DistributionMethod::Token | DistributionMethod::Unknown(_)) | None => {
            Ok((Channel::Token, given(access_id, "access_id")?))
        }
    }
}

fn missing(member: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "MISSING_CONTACT_DATA")
        .message("Missing contact data")
        .because(format!("contact_information.{member}: is required for this method"))
}

fn violation(member: &str, expected: &str) -> ApiError {
    let path = if member == "method" {
        member.to_owned()
    } else {
        format!("contact_information.{member}")
    };
    let mut error = ApiError::bad_value(&[&path]).because(format!("{path}: is not {expected}"));
    error.code = "CONSTRAINT_VIOLATION";
    error
}

fn message(hosted: &Hosted, channel: Channel, to: &str, base_url: &str) -> Message {
    let body = &hosted.session.body;
    let locale = body.locale.clone().unwrap_or_else(|| Locale::new("en-US"));
    let language = Language::of(&locale);
    let amount = language.amount(
        body.order_amount.unwrap_or(MinorUnits::ZERO),
        &body.purchase_currency.clone().unwrap_or(Currency::USD),
    );
    let words = outbox::payment_link(language, body.merchant_reference1.as_deref(), &amount);
    Message {
        merchant_id: hosted.page.merchant_id.clone(),
        channel,
        to: to.to_owned(),
        locale,
        subject: words.subject,
        text: words.text,
        link: format!("{base_url}/hpp-page/{}", hosted.page.short_id),
        subject_id: hosted.page.session_id.to_string(),
    }
}
