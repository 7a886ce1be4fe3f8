//! Query parameters, and the links from page to page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use klarna_types::market::Currency;
use klarna_types::settlements::{Pagination, PaymentReference};
use url::form_urlencoded;

use crate::api::error::ApiError;
use crate::app::App;
use crate::store::settlements::{Filter, Page};

/// How many items a page has unless asked for otherwise, and at most.
const USUAL_SIZE: i64 = 20;
const GREATEST_SIZE: i64 = 500;

/// The longest id that anything has.
const LONGEST_ID: usize = 64;

/// The parameters of a call, decoded; what is not one of its operation's is ignored.
#[derive(Debug, Clone)]
pub(super) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<App> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    /// Reads the part of the URL after the question mark.
    pub(super) fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Whether each that is there is what it should be.
    pub(super) fn are_readable(&self) -> bool {
        let is_page = self.page().is_ok();
        let is_range = self.range().is_ok() || self.filter().is_ok();
        let is_one = self.payment_reference().is_ok() && self.order_id().is_ok();
        is_page && is_range && is_one
    }

    /// A parameter; an empty one counts as absent.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| wrong(name, "is required"))
    }

    /// Which part of a list is wanted.
    pub(super) fn page(&self) -> Result<Page, ApiError> {
        let number = |name, usual| match self.get(name) {
            None => Ok(usual),
            Some(text) => text.parse::<i64>().map_err(|_| wrong(name, "must be an integer")),
        };
        let page = Page { size: number("size", USUAL_SIZE)?, offset: number("offset", 0)? };
        if !(1..=GREATEST_SIZE).contains(&page.size) {
            return Err(wrong("size", "must be between 1 and 500"));
        }
        if page.offset < 0 {
            return Err(wrong("offset", "must not be negative"));
        }
        Ok(page)
    }

    /// Which payouts are wanted, where both dates may be absent.
    pub(super) fn filter(&self) -> Result<Filter, ApiError> {
        let from = self.get("start_date").map(|text| date("start_date", text)).transpose()?;
        let until = self.get("end_date").map(|text| date("end_date", text)).transpose()?;
        Ok(Filter {
            from_ms: from.map_or(i64::MIN, Timestamp::as_millisecond),
            until_ms: until.map_or(i64::MAX, Timestamp::as_millisecond),
            currency: self.currency()?,
        })
    }

    /// The range of a summary, where both dates are needed.
    pub(super) fn range(&self) -> Result<(Timestamp, Timestamp, Filter), ApiError> {
        let from = date("start_date", self.required("start_date")?)?;
        let until = date("end_date", self.required("end_date")?)?;
        Ok((from, until, self.filter()?))
    }

    fn currency(&self) -> Result<Option<Currency>, ApiError> {
        let Some(code) = self.get("currency_code") else { return Ok(None) };
        let currency = Currency::from(code);
        if currency.is_well_formed() {
            Ok(Some(currency))
        } else {
            Err(wrong("currency_code", "must be an ISO 4217 code"))
        }
    }

    /// The payout that is wanted.
    pub(super) fn payment_reference(&self) -> Result<Option<PaymentReference>, ApiError> {
        self.get("payment_reference").map(payment_reference).transpose()
    }

    /// The payout that a report is wanted of.
    pub(super) fn required_payment_reference(&self) -> Result<PaymentReference, ApiError> {
        payment_reference(self.required("payment_reference")?)
    }

    /// The order whose transactions are wanted.
    pub(super) fn order_id(&self) -> Result<Option<&str>, ApiError> {
        let Some(id) = self.get("order_id") else { return Ok(None) };
        let is_id = id.len() <= LONGEST_ID
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_id { Ok(Some(id)) } else { Err(wrong("order_id", "is not an order id")) }
    }

    /// Where a page of `count` items stands, with the URLs of its neighbours.
    pub(super) fn pagination(
        &self,
        base_url: &str,
        path: &str,
        page: Page,
        count: usize,
        total: i64,
    ) -> Pagination {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let url = |offset: i64| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in &self.0 {
                if name != "size" && name != "offset" {
                    query.append_pair(name, value);
                }
            }
            query.append_pair("size", &page.size.to_string());
            query.append_pair("offset", &offset.to_string());
            format!("{base_url}/settlements/v1/{path}?{}", query.finish())
        };
        let mut pagination = Pagination::new(count).total(total).offset(page.offset);
        let next = page.offset.saturating_add(count);
        if count > 0 && next < total {
            pagination = pagination.next(url(next));
        }
        if page.offset > 0 {
            // From behind the end, the page before is the last one that there is.
            let before = page.offset.min(total).saturating_sub(page.size).max(0);
            pagination = pagination.prev(url(before));
        }
        pagination
    }
}

/// A payout's name as it may be asked for.
pub(super) fn payment_reference(text: &str) -> Result<PaymentReference, ApiError> {
    let is_reference = (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_reference {
        Ok(PaymentReference::new(text))
    } else {
        Err(wrong("payment_reference", "is not a payment reference"))
    }
}

/// A payout that is not there, or not the caller's.
pub(super) fn no_payout(payment_reference: &PaymentReference) -> ApiError {
    ApiError::not_found(format!("No payout with payment reference {payment_reference}"))
}

/// An instant by ISO 8601. A date alone is its midnight, and without an offset it is UTC.
fn date(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let found = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(utc))
        .or_else(|| text.parse::<Date>().ok().map(DateTime::from).and_then(utc));
    found.ok_or_else(|| {
        wrong(name, "must be an ISO 8601 date and time such as 2020-01-23T00:00:00Z")
    })
}

fn wrong(name: &str, why: &str) -> ApiError {
    ApiError::bad_request().message(format!("{name} {why}"))
}
