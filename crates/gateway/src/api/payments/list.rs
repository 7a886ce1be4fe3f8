//! `GET /v1/payments`: the payments that fit, page by page.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::super::extract::{Caller, wrong_query};
use super::super::problem::Problem;
use super::view::PaymentView;
use crate::app::App;
use crate::domain::search::{self, Amounts, Place, Search, Written, Wrong};
use crate::fault::Fault;
use crate::store::{operations, policies, search as rows};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// A query with all the filters, and with what else it may have.
macro_rules! filters {
    ($(#[$says:meta])* $name:ident { $($(#[$own_says:meta])* $own:ident: $kind:ty,)* }) => {
        $(#[$says])*
        #[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$own_says])* #[serde(default)] pub $own: Option<$kind>,)*
            /// Only payments with this merchant reference, Klarna reference, order id, checkout id or id; or, if it
            /// reads as an amount (`345.00 SEK`), authorised for that. Never by what is a shopper's own.
            #[serde(default)]
            pub q: Option<String>,
            /// Only payments with this merchant reference, Klarna reference, order id, checkout id or id.
            #[serde(default)]
            pub reference: Option<String>,
            /// Only payments in this status.
            #[serde(default)]
            pub status: Option<String>,
            /// Only payments of which Klarna thinks so: `accepted`, `pending`, `rejected` or `other`.
            #[serde(default)]
            pub fraud_status: Option<String>,
            /// Only payments in this currency.
            #[serde(default)]
            pub currency: Option<String>,
            /// Only payments of this country.
            #[serde(default)]
            pub country: Option<String>,
            /// Only payments by this channel: `inline`, `hosted`, `in_store`, `native`, or `charge` of a token.
            #[serde(default)]
            pub channel: Option<String>,
            /// Only payments made then or later: `2031-05-04`, or `2031-05-04T12:30:00Z`.
            #[serde(default)]
            pub from: Option<String>,
            /// Only payments made before then; a day is taken whole.
            #[serde(default)]
            pub until: Option<String>,
            /// Only payments authorised for so much or more, in minor units.
            #[serde(default)]
            #[param(value_type = Option<i64>, minimum = 0)]
            pub amount_min: Option<String>,
            /// Only payments authorised for so much or less, in minor units.
            #[serde(default)]
            #[param(value_type = Option<i64>, minimum = 0)]
            pub amount_max: Option<String>,
            /// `true`: only authorisations that lapse soon, by the store's policy.
            #[serde(default)]
            #[param(value_type = Option<bool>)]
            pub expiring: Option<String>,
            /// `true`: only payments of which an operation waits for a person.
            #[serde(default)]
            #[param(value_type = Option<bool>)]
            pub needs_attention: Option<String>,
            /// `newest` (the default), `oldest`, `amount_high`, `amount_low` (both need a currency) or `expiring`
            /// first.
            #[serde(default)]
            pub sort: Option<String>,
        }

        impl $name {
            /// What is looked for, if all of it can be.
            pub fn search(self) -> Result<Search, Problem> {
                if self.q.is_some() && self.reference.is_some() {
                    let says = "reference: q says the same and more; leave one of them out.";
                    return Err(Problem::invalid("reference", says));
                }
                let exact_only = self.reference.is_some();
                let written = Written {
                    q: self.q.or(self.reference),
                    status: self.status,
                    fraud_status: self.fraud_status,
                    currency: self.currency,
                    country: self.country,
                    channel: self.channel,
                    from: self.from,
                    until: self.until,
                    amount_min: self.amount_min,
                    amount_max: self.amount_max,
                    expiring: self.expiring,
                    needs_attention: self.needs_attention,
                    sort: self.sort,
                };
                let mut search = search::read(&written, Amounts::MinorUnits).map_err(|wrong| refused(&wrong))?;
                if let Some(text) = search.text.as_mut().filter(|_| exact_only) {
                    text.amounts.clear();
                }
                Ok(search)
            }
        }
    };
}

filters!(
    /// Which page is wanted, and of what.
    ListQuery {
        /// 1 to 100; 20 if it is left out.
        #[param(minimum = 1, maximum = 100)]
        limit: i64,
        /// The `next_cursor` of the page before.
        cursor: String,
    }
);

filters!(
    /// What the file has.
    FileQuery {}
);

pub(super) fn refused(wrong: &Wrong) -> Problem {
    Problem::invalid(wrong.member, format!("{}: {}.", wrong.member, wrong.detail))
}

/// A page of payments.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PaymentList {
    /// In the order that was asked for. A page may be shorter than it could be although it is not the last:
    /// only so much is searched at once.
    pub data: Vec<PaymentView>,
    /// Where the next page begins; absent on the last one. Good with the same filters and order only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The cursor that begins after what was made then, under that id.
pub fn cursor_of(at_ms: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at_ms}/{id}"))
}

/// The place a cursor stands for.
pub fn read_cursor(cursor: &str) -> Option<(i64, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (at_ms, id) = text.split_once('/')?;
    Some((at_ms.parse().ok()?, id.to_owned()))
}

/// Lists payments, newest first or in another order.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ListQuery),
    responses((status = 200, body = PaymentList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<PaymentList>, Problem> {
    let Query(mut query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")));
    }
    let cursor = query.cursor.take();
    let search = query.search()?;
    let after = cursor.map(|cursor| Place::read(search.sort, &cursor)).transpose();
    let after = after.map_err(|wrong| refused(&wrong))?;
    let now_ms = app.engine().now_ms();
    let page = app
        .database()
        .read_long(move |tx| {
            let store_id = &caller.store_id;
            let soon_ms = policies::expiry(tx, store_id)?.soon_ms(now_ms);
            let found = rows::page(tx, store_id, &search, soon_ms, after.as_ref(), limit)?;
            let mut data = Vec::with_capacity(found.payments.len());
            for payment in &found.payments {
                let operations = operations::pending_of_payment(tx, &payment.id)?;
                data.push(PaymentView::new(payment, &operations, now_ms));
            }
            let next_cursor = found.next.map(|place| place.cursor(search.sort));
            Ok::<_, Fault>(PaymentList { data, next_cursor })
        })
        .await?;
    Ok(Json(page))
}
