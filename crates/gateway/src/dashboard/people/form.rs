//! What a form of these pages carries. Every value may be a secret, so none is ever printed.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use klarna_types::Secret;
use maud::{Markup, html};

use super::super::{Person, layout};
use crate::app::App;

/// The fields of a form, in their order.
pub(in crate::dashboard) struct Fields(Vec<(String, Secret)>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}

impl Fields {
    /// The field of that name; empty if there is none.
    pub(in crate::dashboard) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every field of that name.
    pub(in crate::dashboard) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(each, _)| each == name).map(|(_, value)| value.expose())
    }

    /// The field of that name, as the secret that it is.
    pub(in crate::dashboard) fn secret(&self, name: &str) -> Secret {
        Secret::from(self.get(name))
    }
}

impl FromRequest<App> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, app).await.map_err(|_| {
            let (title, detail) = ("This form could not be read", "Nothing was done.");
            layout::message(StatusCode::BAD_REQUEST, None, title, detail)
        })?;
        Ok(Self(
            url::form_urlencoded::parse(&bytes)
                // No field has one; and a NUL would be an error of PostgreSQL's.
                .filter(|(_, value)| !value.contains('\0'))
                .map(|(name, value)| (name.into_owned(), Secret::from(value.into_owned())))
                .collect(),
        ))
    }
}

/// What makes a form one of the person's own.
pub(in crate::dashboard) fn csrf(person: &Person) -> Markup {
    html! { input type="hidden" name="csrf" value=(person.csrf_token); }
}

/// Something that is shown once: to be copied, and kept or handed over.
pub(in crate::dashboard) fn once(title: &str, detail: &str, shown: &str) -> Markup {
    html! {
        section.notice.good role="status" {
            strong { (title) }
            p { (detail) }
            p { code.shown tabindex="0" { (shown) } }
        }
    }
}
