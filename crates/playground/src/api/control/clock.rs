//! Read and move the playground's clock.

use axum::extract::State;
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use service::Clock as _;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;

/// The clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ClockView {
    /// The playground's present, UTC.
    now: String,
    /// How far it is ahead of real time, in milliseconds.
    offset_ms: i64,
}

/// How to move it: one of the two.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    /// An ISO 8601 duration, such as `P1DT2H`.
    advance: Option<String>,
    /// An instant, such as `2027-01-01T00:00:00Z`; not before the playground's present.
    set: Option<String>,
}

/// `GET /playground/v1/clock`.
#[utoipa::path(
    get,
    path = "/playground/v1/clock",
    responses((status = 200, description = "The clock", body = ClockView))
)]
pub(super) async fn read(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    Answer::ok(&view(&app))
}

/// `POST /playground/v1/clock`. When it answers, everything due by then has happened, callbacks
/// included.
#[utoipa::path(
    post,
    path = "/playground/v1/clock",
    request_body = ClockChange,
    responses(
        (status = 200, description = "Moved; everything due by then has happened", body = ClockView),
        (status = 400, description = "Not a duration or an instant, or one that lies back in time"),
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<ClockChange>,
) -> Result<Answer, ApiError> {
    let now = app.clock().now();
    let target = target(&value, now)
        .map_err(|reason| ApiError::new(StatusCode::BAD_REQUEST, "BAD_VALUE").message(reason))?;
    match app.advance_to(target.as_millisecond()).await {
        Some(outcome) => outcome?,
        None => return Err(ApiError::internal("the playground is stopping")),
    }
    Answer::ok(&view(&app))
}

fn view(app: &App) -> ClockView {
    ClockView { now: format!("{:.3}", app.clock().now()), offset_ms: app.clock().offset_ms() }
}

/// Where a request leads, if it can be read and leads anywhere.
pub(super) fn read_target(body: &[u8], now: Timestamp) -> Option<Timestamp> {
    let change: ClockChange = crate::api::respond::parse(body).ok()?;
    target(&change, now).ok()
}

/// Where the clock is to go; the error is for the caller.
fn target(change: &ClockChange, now: Timestamp) -> Result<Timestamp, String> {
    let target = match (&change.advance, &change.set) {
        (Some(text), None) => {
            let too_long = || {
                format!("advance: `{text}` leads out of the calendar, which ends with year 9999")
            };
            let span: Span = text.parse().map_err(|_| {
                if has_form_of_duration(text) {
                    too_long()
                } else {
                    format!("advance: `{text}` is not an ISO 8601 duration such as P1DT2H")
                }
            })?;
            now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| too_long())?.timestamp()
        }
        (None, Some(text)) => text
            .parse::<Timestamp>()
            .map_err(|_| format!("set: `{text}` is not an instant such as 2027-01-01T00:00:00Z"))?,
        _ => return Err("give either advance or set".to_owned()),
    };
    // An instant given in whole seconds may be the present one, a few milliseconds ago.
    if target.as_second() < now.as_second() {
        return Err(format!("the clock stands at {now:.3} and does not go back to {target}"));
    }
    Ok(target.max(now))
}

/// Whether a text is written as a duration of whole units, however great the numbers: `P1Y2M3W4DT5H6M7S`.
fn has_form_of_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['P', 'p']) else { return false };
    let (date, time) = match rest.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let has_units = |part: &str, units: &str| {
        let mut units = units.chars();
        part.split_inclusive(|c: char| !c.is_ascii_digit()).all(|piece| {
            let unit = piece.chars().next_back().unwrap_or_default().to_ascii_uppercase();
            piece.len() > 1 && units.any(|next| next == unit)
        })
    };
    !(date.is_empty() && time.is_none_or(str::is_empty))
        && has_units(date, "YMWD")
        && time.is_none_or(|time| has_units(time, "HMS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(advance: Option<&str>, set: Option<&str>, expected: &str) {
        let now: Timestamp = "2026-11-23T10:00:00.500Z".parse().unwrap();
        let change =
            ClockChange { advance: advance.map(str::to_owned), set: set.map(str::to_owned) };
        let found = match target(&change, now) {
            Ok(target) => target.to_string(),
            Err(reason) => reason,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_clock_goes_forward_only() {
        check(Some("P1DT2H"), None, "2026-11-24T12:00:00.5Z");
        check(Some("P1M"), None, "2026-12-23T10:00:00.5Z");
        check(Some("PT0S"), None, "2026-11-23T10:00:00.5Z");
        check(None, Some("2027-01-01T00:00:00Z"), "2027-01-01T00:00:00Z");
        check(None, Some("2026-11-23T10:00:00Z"), "2026-11-23T10:00:00.5Z");
        check(
            Some("-PT1H"),
            None,
            "the clock stands at 2026-11-23T10:00:00.500Z and does not go back to \
             2026-11-23T09:00:00.5Z",
        );
        check(
            None,
            Some("2020-01-01T00:00:00Z"),
            "the clock stands at 2026-11-23T10:00:00.500Z and does not go back to \
             2020-01-01T00:00:00Z",
        );
        check(
            Some("tomorrow"),
            None,
            "advance: `tomorrow` is not an ISO 8601 duration such as P1DT2H",
        );
        for text in ["P9999Y", "P1000000Y", "PT99999999999999999999H", "P1DT1000000000000M"] {
            let expected =
                format!("advance: `{text}` leads out of the calendar, which ends with year 9999");
            check(Some(text), None, &expected);
        }
        for text in ["", "P", "PT", "P1", "PY", "P1S", "P1D1Y", "1D", "P1H"] {
            let expected = format!("advance: `{text}` is not an ISO 8601 duration such as P1DT2H");
            check(Some(text), None, &expected);
        }
        check(None, None, "give either advance or set");
        check(Some("PT1H"), Some("2027-01-01T00:00:00Z"), "give either advance or set");
    }
}
