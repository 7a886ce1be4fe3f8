//! What is agreed about a merchant's payouts, and what Klarna's staff can do: close a period at once,
//! correct, charge, credit, withhold and release.

#![allow(unused_qualifications, reason = "written by the macro that describes the parameters")]

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{DetailedType, TransactionType};
use klarna_types::{MerchantId, OrderId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;
use utoipa::{IntoParams, ToSchema};

use crate::api::control::operator::Operator;
use crate::api::control::query;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::settlement::{Posting, SettlementTerms, Wait, has_own_sign};
use crate::store::settlements::{AccountView as StoredAccount, Balance};
use crate::store::{StoreError, merchants, orders, settlements};

/// The greatest amount of an adjustment. Sums of many of them can be represented.
const GREATEST_AMOUNT: i64 = 1_000_000_000_000;

/// Whose settlements are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The merchant; may be left out when there is only one.
    merchant_id: Option<String>,
}

/// A merchant's settlements.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SettlementsView {
    /// The merchant.
    merchant_id: String,
    /// What is agreed about its payouts.
    terms: SettlementTerms,
    /// Where it stands, by currency.
    accounts: Vec<AccountView>,
}

/// Where a merchant stands in a currency.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountView {
    /// The currency.
    currency: String,
    /// `payout`, or `invoice` for fees that are invoiced.
    lane: &'static str,
    /// What the merchant owes from earlier periods, in minor units.
    debt_amount: i64,
    /// What is open, VAT counted: negative when it takes from the merchant.
    open_amount: i64,
    /// What is withheld.
    withheld_amount: i64,
    /// When the period closes; absent while nothing is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_close_at: Option<String>,
}

/// New terms.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTerms {
    /// The merchant; may be left out when there is only one.
    merchant_id: Option<String>,
    /// The members that change, of objects in it, too; `null` takes one back to what is usual.
    #[schema(value_type = SettlementTerms)]
    terms: Value,
}

/// What is to be closed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Close {
    /// The merchant; may be left out when there is only one.
    merchant_id: Option<String>,
    /// In one currency; in all when absent.
    currency: Option<String>,
}

/// What was closed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Closed {
    /// The references of the payouts that came of it.
    payouts: Vec<String>,
}

/// Something that Klarna books by hand.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Adjustment {
    /// The merchant; may be left out when there is only one.
    merchant_id: Option<String>,
    /// A name for it: the same name again is the same adjustment. Made up when absent.
    #[serde(rename = "adjustment_id")]
    id: Option<String>,
    /// `CORRECTION`, `CHARGE`, `CREDIT`, `HOLDBACK`, `RELEASE`, `COMMISSION`, `FEE`, `FEE_REFUND`,
    /// `RETURN`, `REVERSAL` or `REVERSAL_MERCHANT_PROTECTION`.
    #[serde(rename = "type")]
    kind: String,
    /// In more detail; what is usual for the type when absent.
    detailed_type: Option<String>,
    /// How much, in minor units: more than nothing, or for a correction less.
    amount: i64,
    /// The currency; that of the order when absent.
    currency: Option<String>,
    /// The order that it belongs to.
    order_id: Option<String>,
    /// A remark.
    comment: Option<String>,
    /// Whether it waits out the delay of the merchant's terms, as trade does.
    #[serde(default)]
    waits: bool,
}

/// What was booked.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Adjusted {
    /// Its name.
    adjustment_id: String,
}

/// `GET /playground/v1/settlements`.
#[utoipa::path(
    get,
    path = "/playground/v1/settlements",
    params(Wanted),
    responses(
        (status = 200, description = "What is agreed, and where the merchant stands", body = SettlementsView),
        (status = 400, description = "It has to be said which merchant"),
        (status = 404, description = "There is no such merchant"),
    )
)]
pub(super) async fn read(
    State(app): State<App>,
    _: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Answer, ApiError> {
    let wanted = query::wanted(wanted)?;
    view(&app, merchant(&app, wanted.merchant_id)?).await
}

/// `POST /playground/v1/settlements`.
#[utoipa::path(
    post,
    path = "/playground/v1/settlements",
    request_body = NewTerms,
    responses(
        (status = 200, description = "Changed, from the next close on", body = SettlementsView),
        (status = 400, description = "A member is not acceptable"),
        (status = 404, description = "There is no such merchant"),
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<NewTerms>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, value.merchant_id)?;
    let (wanted, now) = (merchant_id.clone(), app.clock().now());
    let before = app.db().read(move |tx| merchants::settlement_terms(tx, &wanted)).await?;
    let terms = changed(&before, value.terms)?;
    let wanted = merchant_id.clone();
    app.db()
        .write(move |tx| -> Result<(), StoreError> {
            merchants::set_settlement_terms(tx, &wanted, &terms)?;
            settlements::reschedule(tx, &wanted, &terms, now)
        })
        .await?;
    app.reload_directory().await?;
    app.wake();
    view(&app, merchant_id).await
}

/// `POST /playground/v1/settlements/close`.
#[utoipa::path(
    post,
    path = "/playground/v1/settlements/close",
    request_body = Close,
    responses(
        (status = 200, description = "Closed: whatever was open is paid", body = Closed),
        (status = 400, description = "A member is not acceptable"),
        (status = 404, description = "There is no such merchant"),
    )
)]
pub(super) async fn close(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<Close>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, value.merchant_id)?;
    let currency = value.currency.map(|code| currency(&code)).transpose()?;
    let now = app.clock().now();
    let payouts = app
        .db()
        .write(move |tx| settlements::close_now(tx, &merchant_id, currency.as_ref(), now))
        .await?;
    app.wake();
    Answer::ok(&Closed { payouts: payouts.iter().map(ToString::to_string).collect() })
}

/// `POST /playground/v1/settlements/adjustments`.
#[utoipa::path(
    post,
    path = "/playground/v1/settlements/adjustments",
    request_body = Adjustment,
    responses(
        (status = 201, description = "Booked; it comes with the next payout", body = Adjusted),
        (status = 400, description = "A member is not acceptable"),
        (status = 404, description = "There is no such merchant or order"),
        (status = 409, description = "There is an adjustment of this name"),
    )
)]
pub(super) async fn adjust(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<Adjustment>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, value.merchant_id.clone())?;
    let what = what(&value)?;
    let id = match &value.id {
        Some(id) if is_name(id) => id.clone(),
        Some(_) => return Err(ApiError::bad_value(&["adjustment_id"])),
        None => service::random::uuid().to_string(),
    };
    let wanted = match (&value.currency, &value.order_id) {
        (Some(code), _) => Some(currency(code)?),
        (None, Some(_)) => None,
        (None, None) => return Err(ApiError::bad_value(&["currency"])),
    };
    let (name, now) = (id.clone(), app.clock().now());
    let posted = app
        .db()
        .write(move |tx| -> Result<_, StoreError> {
            let posting_id = format!("adjustment:{name}");
            let amount = MinorUnits::new(value.amount);
            let mut posting = match &value.order_id {
                Some(order_id) => {
                    let order_id = OrderId::new(order_id.as_str());
                    let Some(order) = orders::read(tx, &merchant_id, &order_id, now)? else {
                        return Ok(Err(Unposted::NoOrder));
                    };
                    if wanted.as_ref().is_some_and(|wanted| wanted != order.currency()) {
                        return Ok(Err(Unposted::OtherCurrency));
                    }
                    order.posting(posting_id, what.clone(), amount, now)
                }
                None => Posting::new(
                    posting_id,
                    merchant_id.clone(),
                    what.clone(),
                    amount,
                    wanted.clone().unwrap_or(Currency::EUR),
                    now.as_millisecond(),
                ),
            };
            posting.comment.clone_from(&value.comment);
            posting.wait = if value.waits { Wait::Delay } else { Wait::NextPayout };
            let terms = merchants::settlement_terms(tx, &merchant_id)?;
            if matches!(posting.kind, TransactionType::Fee | TransactionType::FeeRefund) {
                posting.vat = Some(terms.fees.vat_on(amount));
            }
            let new = settlements::post_all(tx, &terms, &[posting])?;
            Ok(if new == 1 { Ok(()) } else { Err(Unposted::Known) })
        })
        .await?;
    match posted {
        Ok(()) => {
            app.wake();
            Answer::json(StatusCode::CREATED, &Adjusted { adjustment_id: id })
        }
        Err(Unposted::NoOrder) => Err(ApiError::not_found("the merchant has no such order")),
        Err(Unposted::OtherCurrency) => Err(ApiError::bad_value(&["currency"])
            .because("an adjustment of an order is in the order's currency")),
        Err(Unposted::Known) => Err(ApiError::new(StatusCode::CONFLICT, "CONFLICT")
            .message(format!("the adjustment {id} exists"))),
    }
}

/// Why something was not booked.
enum Unposted {
    NoOrder,
    OtherCurrency,
    Known,
}

/// What is booked, if it can be by hand.
fn what(value: &Adjustment) -> Result<(TransactionType, DetailedType), ApiError> {
    let kind = TransactionType::from(value.kind.as_str());
    let usual = match kind {
        TransactionType::Correction => DetailedType::CreditedCorrection,
        TransactionType::Charge | TransactionType::Credit => DetailedType::ManualEntry,
        TransactionType::Holdback | TransactionType::Release => DetailedType::UnderReview,
        TransactionType::Commission => DetailedType::Commission,
        TransactionType::Fee => DetailedType::ServicingFee,
        TransactionType::FeeRefund => DetailedType::PurchaseFeePercentageRefund,
        TransactionType::Return => DetailedType::PaymentDefault,
        TransactionType::Reversal => DetailedType::Reversal,
        TransactionType::ReversalMerchantProtection => DetailedType::FraudPolicyCreditNet,
        TransactionType::Sale | TransactionType::Tax | TransactionType::Unknown(_) => {
            return Err(ApiError::bad_value(&["type"])
                .because("captures are made with Order Management, and tax comes with fees"));
        }
    };
    let detailed = value.detailed_type.as_deref().map_or(usual, DetailedType::from);
    if !detailed.is_known() {
        return Err(ApiError::bad_value(&["detailed_type"]));
    }
    let acceptable = if has_own_sign(&kind) {
        value.amount != 0 && value.amount.unsigned_abs() <= GREATEST_AMOUNT.unsigned_abs()
    } else {
        (1..=GREATEST_AMOUNT).contains(&value.amount)
    };
    if !acceptable {
        return Err(ApiError::bad_value(&["amount"]));
    }
    if value.comment.as_ref().is_some_and(|comment| comment.len() > 255 || comment.contains('\0')) {
        return Err(ApiError::bad_value(&["comment"]));
    }
    if value.order_id.as_deref().is_some_and(|id| !is_name(id)) {
        return Err(ApiError::bad_value(&["order_id"]));
    }
    Ok((kind, detailed))
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn currency(code: &str) -> Result<Currency, ApiError> {
    let currency = Currency::from(code);
    if currency.is_well_formed() { Ok(currency) } else { Err(ApiError::bad_value(&["currency"])) }
}

/// The merchant that is meant.
fn merchant(app: &App, merchant_id: Option<String>) -> Result<MerchantId, ApiError> {
    let directory = app.directory();
    match merchant_id {
        Some(id) => directory
            .merchant(&id)
            .map(|merchant| merchant.merchant_id.clone())
            .ok_or_else(|| ApiError::not_found(format!("there is no merchant {id}"))),
        None => match directory.merchants().as_slice() {
            [only] => Ok(only.merchant_id.clone()),
            _ => Err(ApiError::bad_value(&["merchant_id"])
                .because("there are several merchants; say which one is meant")),
        },
    }
}

/// The terms with some members changed.
fn changed(before: &SettlementTerms, members: Value) -> Result<SettlementTerms, ApiError> {
    let mut terms = serde_json::to_value(before).map_err(ApiError::internal)?;
    if !members.is_object() {
        return Err(ApiError::bad_value(&["terms"]));
    }
    merge(&mut terms, members);
    let terms: SettlementTerms = serde_json::from_value(terms)
        .map_err(|error| ApiError::bad_value(&["terms"]).because(error))?;
    match terms.wrong_member() {
        Some(member) => Err(ApiError::bad_value(&[format!("terms.{member}")])),
        None => Ok(terms),
    }
}

/// JSON merge patch (RFC 7396).
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (into, from) => *into = from,
    }
}

async fn view(app: &App, merchant_id: MerchantId) -> Result<Answer, ApiError> {
    let wanted = merchant_id.clone();
    let (terms, accounts) = app
        .db()
        .read(move |tx| -> Result<_, StoreError> {
            let terms = merchants::settlement_terms(tx, &wanted)?;
            let mut accounts = Vec::new();
            for account in settlements::accounts_of(tx, &wanted)? {
                let balance = settlements::balance(tx, &wanted, &account.currency, account.lane)?;
                accounts.push(AccountView::of(&account, balance));
            }
            Ok((terms, accounts))
        })
        .await?;
    Answer::ok(&SettlementsView { merchant_id: merchant_id.into_string(), terms, accounts })
}

impl AccountView {
    fn of(account: &StoredAccount, balance: Balance) -> Self {
        Self {
            currency: account.currency.to_string(),
            lane: account.lane.as_str(),
            debt_amount: account.debt.get(),
            open_amount: balance.open,
            withheld_amount: balance.withheld,
            next_close_at: account
                .next_close_at_ms
                .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
                .map(|at| format!("{at:.3}")),
        }
    }
}
