//! A checkout as the shop sees it.

use jiff::Timestamp;
use klarna_types::{MinorUnits, OrderLine, payments::PaymentMethodCategory};
use serde::Serialize;

use super::super::payments::view::PaymentView;
use super::super::problem::KlarnaCause;
use crate::app::App;
use crate::domain::checkout::{Checkout, Finalize, Intent, Status};
use crate::domain::hosted::{Channel, Page, PageStatus, SentBy};

/// What the shop's page needs to show Klarna's widget.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KlarnaView {
    /// For `Klarna.Payments.init`.
    pub client_token: String,
    /// Where the browser library is loaded from.
    pub script_url: String,
    /// What the widget can show.
    #[schema(value_type = Vec<Object>)]
    pub payment_method_categories: Vec<PaymentMethodCategory>,
    /// When the client token ends. A read of the checkout renews it in time.
    pub session_expires_at: String,
}

/// The page of Klarna's on which the shopper pays.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PageView {
    /// Where it stands: `waiting`, `in_progress`, `completed`, `declined` and `failed` (the shopper
    /// may try again), `back`, `cancelled`, `disabled` or `expired`.
    #[schema(value_type = String)]
    pub status: PageStatus,
    /// Its address: send the shopper's browser there. Klarna gives none for a purchase in a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// A picture of a code that leads to it, for a screen that the shopper looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code_url: Option<String>,
    /// When its status last changed.
    pub changed_at: String,
    /// When it ends. A read of the checkout renews it in time.
    pub expires_at: String,
    /// What the shopper can choose on it: the name and the logo to show beside the way to pay.
    #[schema(value_type = Vec<Object>)]
    pub payment_method_categories: Vec<PaymentMethodCategory>,
    /// How its link was sent, the last time: `sms` or `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub sent_by: Option<SentBy>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
}

impl PageView {
    fn new(page: &Page, categories: &[PaymentMethodCategory]) -> Self {
        let usable = !page.status.is_over();
        Self {
            status: page.status,
            redirect_url: page.redirect_url.clone().filter(|_| usable),
            qr_code_url: page.qr_code_url.clone().filter(|_| usable),
            changed_at: time(page.changed_at_ms),
            expires_at: time(page.expires_at_ms),
            payment_method_categories: categories.to_vec(),
            sent_by: page.sent.map(|(by, _)| by),
            sent_at: page.sent.map(|(_, at_ms)| time(at_ms)),
        }
    }
}

/// Why the last authorisation led to no order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RefusalView {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// What Klarna answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna: Option<KlarnaCause>,
}

/// A checkout.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CheckoutView {
    /// Its id.
    pub id: String,
    /// Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`.
    #[schema(value_type = String)]
    pub status: Status,
    /// The shop's order number.
    pub merchant_reference: String,
    /// Where the shopper buys.
    pub country: String,
    /// The currency of every amount in it.
    pub currency: String,
    /// The shopper's language.
    pub locale: String,
    /// The total, in minor units.
    #[schema(value_type = i64)]
    pub order_amount: MinorUnits,
    /// The tax in it.
    #[schema(value_type = i64)]
    pub order_tax_amount: MinorUnits,
    /// The lines, as Klarna is told them.
    #[schema(value_type = Vec<Object>)]
    pub order_lines: Vec<OrderLine>,
    /// How the purchase reaches the shopper: `inline`, `hosted`, `in_store` or `native`.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Of a checkout of several steps: `later` while the shopper has not approved, `awaited` once the
    /// shopper has and `finalize` is to be called; else `automatic`.
    #[schema(value_type = String)]
    pub finalize: Finalize,
    /// The Klarna account it was opened with, where it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Of the channels `hosted` and `in_store`: the page on which the shopper pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageView>,
    /// What the shop's page or app needs; only while the shopper can authorise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna: Option<KlarnaView>,
    /// By what the shopper's browser shows that this checkout is its own, when it calls
    /// `/v1/public` with a publishable key; in the answer that opened it. Never in a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_secret: Option<String>,
    /// Why the last authorisation led to no order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
    /// `buy`, `tokenize` or `buy_and_tokenize`.
    pub intent: Intent,
    /// The customer token it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_token_id: Option<String>,
    /// The payment it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The payment itself, in the answer to `confirm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentView>,
    /// Where the shopper's browser should go: to Klarna's page while it is to be paid there, and in the
    /// answer to `confirm` after the purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// When the checkout ends if nobody comes back.
    pub expires_at: String,
    /// When it was opened.
    pub created_at: String,
}

/// A point in time as the API writes it.
pub fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

impl CheckoutView {
    /// The view of a checkout.
    pub fn new(checkout: &Checkout, app: &App) -> Self {
        let cart = &checkout.cart;
        let takes_authorizations = checkout.status.takes_authorizations();
        Self {
            id: checkout.id.clone(),
            status: checkout.status,
            merchant_reference: cart.merchant_reference.clone(),
            country: cart.country.as_str().to_owned(),
            currency: cart.currency.as_str().to_owned(),
            locale: cart.locale.as_str().to_owned(),
            order_amount: cart.order_amount,
            order_tax_amount: cart.order_tax_amount,
            order_lines: cart.order_lines.clone(),
            channel: checkout.channel,
            finalize: checkout.finalize,
            account_id: checkout.account_id.clone(),
            page: checkout
                .page()
                .map(|page| PageView::new(page, &checkout.session.payment_method_categories)),
            klarna: (takes_authorizations && !checkout.channel.has_page()).then(|| KlarnaView {
                client_token: checkout.session.client_token.clone(),
                script_url: app.script_url_of(checkout.account_id.as_deref()),
                payment_method_categories: checkout.session.payment_method_categories.clone(),
                session_expires_at: time(checkout.session.expires_at_ms),
            }),
            checkout_secret: None,
            refusal: checkout.refusal.as_ref().map(|refusal| RefusalView {
                code: refusal.reason.name(),
                detail: refusal.detail.clone(),
                remedy: refusal.remedy.clone(),
                klarna: refusal.klarna.as_ref().map(KlarnaCause::from),
            }),
            intent: checkout.tokenizing.as_ref().map_or(Intent::Buy, |made| made.intent),
            customer_token_id: checkout
                .tokenizing
                .as_ref()
                .and_then(|made| made.customer_token_id.clone()),
            payment_id: checkout.payment_id.clone(),
            payment: None,
            redirect_url: checkout
                .page()
                .filter(|page| takes_authorizations && !page.status.is_over())
                .and_then(|page| page.redirect_url.clone()),
            expires_at: time(checkout.expires_at_ms),
            created_at: time(checkout.created_at_ms),
        }
    }
}
