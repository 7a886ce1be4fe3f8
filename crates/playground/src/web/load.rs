//! `POST /kp/v1/load`: what the widget shows, and what the `load` callback is told.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use klarna_types::payments::{PaymentMethodCategoryIdentifier, SessionBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;

use crate::app::App;
use crate::domain::flow::AnswerError;
use crate::domain::flow::offer::{OfferKind, fit_for, offers};
use crate::domain::session::Session;
use crate::shopper::{self, Loaded, ShopperError, bad_paths};
use crate::web::caller::{Caller, WebError, json};
use crate::web::view::{self, WidgetView};

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    review: bool,
    /// Asked by the view of an app, which is stricter about its category.
    #[serde(default)]
    in_app: bool,
    #[serde(default)]
    options: CallOptions,
    #[serde(default)]
    data: Value,
}

/// What the merchant's page gave as options. Pages give odd types, so nothing here can fail to be
/// read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CallOptions {
    payment_method_category: Value,
    payment_method_categories: Value,
    auto_finalize: Value,
    preferred_payment_method: Value,
}

impl CallOptions {
    /// The categories of the widget; none means all.
    pub(super) fn categories(&self) -> Vec<String> {
        let one = self.payment_method_category.as_str().into_iter();
        let several = self.payment_method_categories.as_array().into_iter().flatten();
        one.chain(several.filter_map(Value::as_str))
            .filter(|category| !category.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The way to pay that is chosen at first.
    pub(super) fn preferred(&self) -> Option<OfferKind> {
        match self.preferred_payment_method.as_str()? {
            "invoice" => Some(OfferKind::PayLater),
            "fixed_amount" => Some(OfferKind::Instalments),
            "base_account" | "deferred_interest" => Some(OfferKind::Financing),
            _ => None,
        }
    }

    /// Whether `finalize` may have to follow.
    pub(super) fn is_finalized_separately(&self) -> bool {
        match &self.auto_finalize {
            Value::Bool(automatic) => !automatic,
            Value::String(text) => text == "false",
            _ => false,
        }
    }
}

#[derive(Debug, Serialize)]
struct Answer {
    result: LoadResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<WidgetView>,
}

#[derive(Debug, Serialize)]
struct LoadResult {
    show_form: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AnswerError>,
}

/// The handler.
pub(super) async fn load(
    State(app): State<App>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, WebError> {
    let request: Request =
        serde_json::from_slice(&body).map_err(|error| WebError::BadBody(error.to_string()))?;
    let mut unreadable = Vec::new();
    let data = read_data(&request.data).unwrap_or_else(|path| {
        unreadable.push(path);
        SessionBody::default()
    });
    let (mut loaded, refused) = match shopper::load(&app, caller.session_id.clone(), data).await {
        Ok(loaded) => (loaded, unreadable),
        // What the page sent cannot be taken; the widget shows the session as it was.
        Err(ShopperError::BadValue(problems)) => {
            let paths = bad_paths(&problems);
            (shopper::load(&app, caller.session_id, SessionBody::default()).await?, paths)
        }
        Err(error) => return Err(error.into()),
    };
    loaded.show_form &= !request.in_app || has_categories(&app, &loaded.session, &request.options);
    json(&answer(loaded, refused, &request, today(&app)))
}

/// Whether the session has what a view was made for.
fn has_categories(app: &App, session: &Session, options: &CallOptions) -> bool {
    let merchant = app.directory().merchant(session.merchant_id.as_str());
    let offered = session.categories(merchant.as_deref());
    options.categories().iter().all(|asked| {
        let asked = PaymentMethodCategoryIdentifier::from(asked.as_str());
        offered.iter().any(|category| category.identifier == asked)
    })
}

fn answer(loaded: Loaded, refused: Vec<String>, request: &Request, today: Date) -> Answer {
    let Loaded { session, show_form, mut invalid_fields } = loaded;
    invalid_fields.extend(refused);
    let purchase = view::purchase(&session.body);
    let all = offers(&purchase.country, purchase.amount, &request.options.categories(), today);
    let offers = fit_for(purchase.reuse, &purchase.country, all);
    let in_market = !request.review || purchase.country == klarna_types::Country::US;
    let show_form = show_form && !offers.is_empty() && in_market;
    let error = (show_form && !invalid_fields.is_empty()).then_some(AnswerError { invalid_fields });
    Answer {
        result: LoadResult { show_form, error },
        country: Some(purchase.country.as_str().to_owned()),
        view: Some(view::widget(&session, offers)),
    }
}

/// Reads the data that a page sent along; if it is not of the right form, the path of the first
/// member that is not.
pub(super) fn read_data(data: &Value) -> Result<SessionBody, String> {
    match data {
        Value::Null => Ok(SessionBody::default()),
        value => serde_path_to_error::deserialize(value).map_err(|error| error.path().to_string()),
    }
}

/// The playground's day.
pub(super) fn today(app: &App) -> Date {
    app.clock().now().to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(value: Value) -> CallOptions {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn options_of_odd_types_are_read() {
        assert!(options(json!({})).categories().is_empty());
        assert!(options(json!({"payment_method_category": ""})).categories().is_empty());
        assert!(options(json!({"payment_method_category": 7})).categories().is_empty());
        assert_eq!(
            options(json!({"payment_method_category": "pay_now"})).categories(),
            ["pay_now"]
        );
        assert_eq!(
            options(json!({"payment_method_categories": ["pay_now", null, "pay_later"]}))
                .categories(),
            ["pay_now", "pay_later"]
        );
    }

    #[test]
    fn only_false_separates_the_finalization() {
        for (value, separate) in [
            (json!(false), true),
            (json!("false"), true),
            (json!(true), false),
            (json!(null), false),
            (json!(0), false),
        ] {
            let options = options(json!({"auto_finalize": value}));
            assert_eq!(options.is_finalized_separately(), separate, "{value}");
        }
    }

    #[test]
    fn data_of_the_wrong_form_are_named_by_their_path() {
        assert_eq!(read_data(&Value::Null), Ok(SessionBody::default()));
        let wrong = json!({"billing_address": {"city": 7}});
        assert_eq!(read_data(&wrong), Err("billing_address.city".to_owned()));
    }
}
