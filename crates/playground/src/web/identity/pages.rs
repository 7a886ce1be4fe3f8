//! The pages as HTML. Whatever a shop or a shopper gave is text here.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use klarna_types::Country;
use maud::{DOCTYPE, Markup, html};
use url::Url;

use super::texts::{Texts, texts};
use crate::domain::identity::authorization::AuthorizationRequest;
use crate::domain::identity::interaction::{Interaction, Problem, Step};
use crate::domain::identity::scope::Share;
use crate::domain::outbox::Language;
use crate::domain::persons::{self, Kind, Person};

/// Why there is nothing to answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sorry {
    /// The sign-in is over, or another browser's.
    Gone,
    /// The client's request cannot be answered to the client.
    Request(&'static str),
    /// A form that another page sent.
    NotOwnPage,
    /// Something failed on our side.
    Failed,
}

/// A page that says why.
pub(super) fn sorry(language: Language, status: StatusCode, why: Sorry) -> Response {
    let words = texts(language);
    let (title, text) = match why {
        Sorry::Gone => (words.gone_title, words.gone_text),
        Sorry::Request("client_id") => (words.request_title, words.request_client),
        Sorry::Request("page_origin") => (words.request_title, words.request_origin),
        Sorry::Request(_) => (words.request_title, words.request_uri),
        Sorry::NotOwnPage => (words.foreign_title, words.foreign_text),
        Sorry::Failed => (words.failed_title, words.failed_text),
    };
    let content = html! {
        h1 { (title) }
        p { (text) }
    };
    respond(status, &document(language, title, &content), "'self'", "'none'")
}

/// What the shopper is asked now.
pub(super) fn step(language: Language, path: &str, interaction: &Interaction) -> Response {
    let words = texts(language);
    let (title, content) = match interaction.step {
        Step::Identify => (words.identify_title, identify(words, path, interaction)),
        Step::Code => (words.code_title, code(words, path, interaction)),
        Step::Consent | Step::Done => (words.consent_title, consent(words, path, interaction)),
    };
    // Browsers look at where a form's answer leads, too.
    let target = interaction.request.way().target().unwrap_or_default();
    let forms = format!("'self' {target}");
    respond(StatusCode::OK, &document(language, title, &content), &forms, "'none'")
}

fn identify(words: &Texts, path: &str, interaction: &Interaction) -> Markup {
    let wrong = interaction.problem == Some(Problem::Contact);
    let hint = interaction.request.login_hint.as_deref().unwrap_or_default();
    html! {
        h1 { (words.identify_title) }
        p { (words.identify_text) }
        form method="post" action=(path) novalidate {
            div.field {
                label for="contact" { (words.contact) }
                input #contact name="contact" type="text" autocomplete="username" autocapitalize="none"
                    spellcheck="false" required value=(hint) autofocus
                    aria-invalid=[wrong.then_some("true")] aria-describedby=[wrong.then_some("problem")];
                @if wrong { p.problem #problem role="alert" { (words.contact_problem) } }
            }
            button.primary type="submit" name="action" value="identify" { (words.go_on) }
        }
        (leave(words, path))
        details.persons {
            summary { (words.persons) }
            p { (words.persons_text) }
            form method="post" action=(path) {
                input type="hidden" name="action" value="identify";
                ul {
                    @for person in sample(&interaction.request) {
                        li {
                            button type="submit" name="person" value=(person.email) {
                                span { (person.given_name) " " (person.family_name) " · " (person.country.as_str()) }
                                span { (person.email) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The sample person of the shopper's market, and some others.
fn sample(request: &AuthorizationRequest) -> Vec<&'static Person> {
    let own = request.locale.as_ref().and_then(|locale| locale.as_str().get(3..5));
    let own = own.map(|region| Country::from(region.to_ascii_uppercase().as_str()));
    let mut countries: Vec<Country> = own.into_iter().collect();
    for country in [Country::SE, Country::DE, Country::GB, Country::FI] {
        if !countries.contains(&country) {
            countries.push(country);
        }
    }
    countries.iter().filter_map(|country| persons::find(country, Kind::Approved)).collect()
}

fn code(words: &Texts, path: &str, interaction: &Interaction) -> Markup {
    let wrong = interaction.problem == Some(Problem::Code);
    html! {
        h1 { (words.code_title) }
        p { (words.code_text) " " (interaction.masked()) }
        form method="post" action=(path) novalidate {
            div.field.code {
                label for="code" { (words.code) }
                input #code name="code" type="text" inputmode="numeric" autocomplete="one-time-code"
                    maxlength="6" required autofocus aria-invalid=[wrong.then_some("true")]
                    aria-describedby=(if wrong { "problem code-hint" } else { "code-hint" });
                @if wrong { p.problem #problem role="alert" { (words.code_problem) } }
                p.hint #code-hint { (words.code_hint) }
            }
            button.primary type="submit" name="action" value="code" { (words.go_on) }
        }
        form method="post" action=(path) {
            button.link type="submit" name="action" value="again" { (words.other_contact) }
        }
        (leave(words, path))
    }
}

fn consent(words: &Texts, path: &str, interaction: &Interaction) -> Markup {
    let request = &interaction.request;
    let Some((account, _)) = &interaction.signed_in else { return html! {} };
    let shares = request.scopes.shares();
    let shown = |share: &Share| account.shown(*share).map(|text| (*share, text));
    let (optional, always): (Vec<_>, Vec<_>) =
        shares.iter().filter_map(shown).partition(|(share, _)| share.is_optional());
    html! {
        h1 { (words.consent_title) " " (store(request)) }
        p { (words.consent_text) }
        form method="post" action=(path) {
            @if !always.is_empty() {
                section.block {
                    h2 { (words.always) }
                    dl.shared {
                        @for (share, text) in &always {
                            dt { (words.name(*share)) }
                            dd { (text) }
                        }
                    }
                }
            }
            @if !optional.is_empty() {
                fieldset.block {
                    legend { (words.optional) }
                    @for (share, text) in &optional {
                        label.choice {
                            input type="checkbox" name="share" value=(share.as_str()) checked;
                            span {
                                span.what { (words.name(*share)) }
                                span.value { (text) }
                            }
                        }
                    }
                }
            }
            @if request.scopes.may_pay() { p.small { (words.may_pay) } }
            @if request.scopes.is_recurring() { p.small { (words.may_charge) } }
            button.primary type="submit" name="action" value="agree" { (words.agree) }
        }
        form method="post" action=(path) {
            button.link type="submit" name="action" value="again" { (words.somebody_else) }
        }
        (leave(words, path))
    }
}

/// What the shopper knows the store by: where they will be sent back to.
fn store(request: &AuthorizationRequest) -> String {
    let address = request.page_origin.as_deref().unwrap_or(&request.redirect_uri);
    let url = Url::parse(address).ok();
    url.map(|url| url.authority().to_owned())
        .filter(|authority| !authority.is_empty())
        .unwrap_or_else(|| request.client_id.clone())
}

fn leave(words: &Texts, path: &str) -> Markup {
    html! {
        form method="post" action=(path) {
            button.second type="submit" name="action" value="decline" { (words.cancel) }
        }
    }
}

/// Asks whether somebody wants to be signed out.
pub(super) fn sign_out(language: Language, hidden: &[(&str, &str)], target: &str) -> Response {
    let words = texts(language);
    let content = html! {
        h1 { (words.sign_out_title) }
        p { (words.sign_out_text) }
        form method="post" action="/oauth2/sessions/logout" {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button.primary type="submit" name="action" value="confirm" { (words.sign_out) }
        }
    };
    let forms = format!("'self' {target}");
    respond(StatusCode::OK, &document(language, words.sign_out_title, &content), &forms, "'none'")
}

/// Says that somebody is signed out.
pub(super) fn signed_out(language: Language) -> Response {
    let words = texts(language);
    let content = html! {
        h1 { (words.signed_out_title) }
        p { (words.signed_out_text) }
    };
    respond(
        StatusCode::OK,
        &document(language, words.signed_out_title, &content),
        "'none'",
        "'none'",
    )
}

/// Hands an answer to the page that opened the window. It stands in the page and in no address.
pub(super) fn hand_over(language: Language, result: &str, origin: &str, back: &str) -> Response {
    let words = texts(language);
    let content = html! {
        h1 { (words.back_title) }
        p { (words.back_text) }
        div #result data-result=(result) data-origin=(origin) data-back=(back) {}
        script type="module" src="/kp/assets/identity_done.js" {}
    };
    respond(StatusCode::OK, &document(language, words.back_title, &content), "'none'", "'self'")
}

fn document(language: Language, title: &str, content: &Markup) -> Markup {
    let words = texts(language);
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " (" (words.test_badge) ")" }
                link rel="icon" href="/kp/assets/badge.svg";
                link rel="stylesheet" href="/kp/assets/kit.css";
                link rel="stylesheet" href="/kp/assets/flow.css";
                link rel="stylesheet" href="/kp/assets/identity.css";
            }
            body {
                div.sheet {
                    header {
                        div.brand {
                            span.mark aria-hidden="true" {}
                            span.name { "Kassa playground" }
                            span.badge title=(words.test_footer) { (words.test_badge) }
                        }
                    }
                    main { (content) }
                    footer { (words.test_footer) }
                }
            }
        }
    }
}

fn respond(status: StatusCode, markup: &Markup, forms: &str, scripts: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src {scripts}; base-uri 'none'; \
         form-action {forms}; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy),
        // Forms of our own say where they come from; nobody else learns it.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=()"),
        ),
    ];
    (status, headers, markup.0.clone()).into_response()
}
