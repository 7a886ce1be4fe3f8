//! A merchant at Klarna: who it is and what its account allows.
//!
//! Settings stand for what Klarna agrees with a merchant by contract, and for the strictness that
//! Klarna's documents leave open. Credentials are not here: they belong to whoever checks them.

use std::borrow::Cow;

use klarna_types::validate::UrlRule;
use klarna_types::{Country, MerchantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::settlement::SettlementTerms;

/// Days an order's authorization lasts unless agreed otherwise.
pub(crate) const DEFAULT_AUTHORIZATION_DAYS: u16 = 28;

/// The longest time that can be agreed for an authorization.
const GREATEST_AUTHORIZATION_DAYS: u16 = 180;

/// A hosted payment page does not outlive its session: 48 hours.
const GREATEST_IDLE_MINUTES: u16 = 48 * 60;

/// A merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merchant {
    /// Klarna's id of it (MID).
    pub(crate) merchant_id: MerchantId,
    /// What its account allows.
    pub(crate) settings: MerchantSettings,
}

impl Merchant {
    /// A merchant with a test account's settings.
    pub(crate) fn new(merchant_id: impl Into<MerchantId>) -> Self {
        Self { merchant_id: merchant_id.into(), settings: MerchantSettings::default() }
    }

    /// Whether the account has this permission.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.settings.permissions.contains(&permission)
    }

    /// Whether the account asks for this strictness.
    pub(crate) fn wants(&self, strictness: Strictness) -> bool {
        self.settings.strictness.contains(&strictness)
    }

    /// Whether the account may sell in a country.
    pub(crate) fn sells_in(&self, country: &Country) -> bool {
        self.settings
            .countries
            .as_ref()
            .is_none_or(|countries| countries.iter().any(|code| code == country.as_str()))
    }
}

/// What an account allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MerchantSettings {
    /// Whether the merchant may trade at all.
    pub(crate) status: MerchantStatus,
    /// What needs an agreement with Klarna and is agreed.
    pub(crate) permissions: Vec<Permission>,
    /// Where the playground is stricter than its defaults.
    pub(crate) strictness: Vec<Strictness>,
    /// Which URLs the merchant may give to be called back or returned to.
    pub(crate) callback_urls: CallbackUrls,
    /// Which payment method categories a session offers.
    pub(crate) categories: Categories,
    /// Country codes the merchant may sell in; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) countries: Option<Vec<String>>,
    /// Days an order's authorization lasts, 1 to 180.
    pub(crate) authorization_days: u16,
    /// Minutes after which a shopper who does nothing on a hosted payment page is taken to have left;
    /// never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hosted_page_idle_minutes: Option<u16>,
    /// What is agreed about payouts; left out as long as that is the usual.
    #[serde(skip_serializing_if = "SettlementTerms::are_usual")]
    pub(crate) settlements: SettlementTerms,
    /// Whether the account sells in stores.
    pub(crate) in_store: InStore,
    /// Whether the account tells of Klarna in its pages; left out as long as it may do all of it.
    #[serde(skip_serializing_if = "Messaging::is_usual")]
    pub(crate) messaging: Messaging,
}

impl Default for MerchantSettings {
    fn default() -> Self {
        Self {
            status: MerchantStatus::Active,
            permissions: vec![
                Permission::AutoCapture,
                Permission::PendingOrders,
                Permission::PreScreening,
            ],
            strictness: Vec::new(),
            callback_urls: CallbackUrls::HttpsOrLoopback,
            categories: Categories::Klarna,
            countries: None,
            authorization_days: DEFAULT_AUTHORIZATION_DAYS,
            hosted_page_idle_minutes: None,
            settlements: SettlementTerms::default(),
            in_store: InStore::Enabled,
            messaging: Messaging::Enabled,
        }
    }
}

impl MerchantSettings {
    /// The member that is not acceptable, if any; a path where it lies deeper.
    pub(crate) fn wrong_member(&self) -> Option<Cow<'static, str>> {
        // Who may sell nowhere is inactive; and nothing can be sold where there is no market.
        let is_market = |code: &String| {
            let country = Country::from(code.as_str());
            country.as_str() == code && country.market().is_some()
        };
        let checks = [
            (
                (1..=GREATEST_AUTHORIZATION_DAYS).contains(&self.authorization_days),
                "authorization_days",
            ),
            (
                self.countries
                    .as_ref()
                    .is_none_or(|codes| !codes.is_empty() && codes.iter().all(is_market)),
                "countries",
            ),
            (
                self.hosted_page_idle_minutes
                    .is_none_or(|minutes| (1..=GREATEST_IDLE_MINUTES).contains(&minutes)),
                "hosted_page_idle_minutes",
            ),
        ];
        let wrong = checks.into_iter().find(|(right, _)| !right);
        wrong.map(|(_, member)| Cow::Borrowed(member)).or_else(|| {
            self.settlements
                .wrong_member()
                .map(|member| Cow::Owned(format!("settlements.{member}")))
        })
    }
}

/// Whether a merchant may trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MerchantStatus {
    /// It may.
    Active,
    /// Every call is answered 403 `MERCHANT_INACTIVE`.
    Inactive,
}

/// What needs an agreement with Klarna.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permission {
    /// `auto_capture: true` when an order is created.
    AutoCapture,
    /// The cart may differ between authorization and order; Klarna then assesses it anew.
    CartUpdate,
    /// Orders may be pending while Klarna reviews them (US and GB).
    PendingOrders,
    /// Shoppers are assessed when the widget loads.
    PreScreening,
}

/// Where the playground can be stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Strictness {
    /// Updating a session makes its authorization token invalid.
    VoidTokenOnUpdate,
    /// A session lives 48 hours from its last update instead of from its creation.
    SlideExpiryOnUpdate,
    /// Discount, gift card and store credit lines must not be positive.
    NegativeLineSigns,
    /// The risk check of a higher order amount or another address is always negative.
    RefuseChanges,
    /// Order lines of captures, refunds and updates have to add up like those of new orders.
    OrderLineTotals,
    /// Links to hosted payment pages are not sent by text message, as today's guides have it.
    NoTextMessages,
    /// Recurring lines of a token's charge must carry a subscription that the shopper signed up for.
    SubscriptionTerms,
}

/// Whether an account sells in stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InStore {
    /// It does.
    Enabled,
    /// In-store purchases fail with `PERMISSION_DENIED`.
    Disabled,
}

/// Whether an account tells of Klarna in its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Messaging {
    /// By placements and by the messaging API.
    Enabled,
    /// By placements; the API has to be agreed with Klarna.
    WithoutApi,
    /// Not at all.
    Disabled,
}

impl Messaging {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_usual(&self) -> bool {
        *self == Self::Enabled
    }
}

/// Which URLs are acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallbackUrls {
    /// As at Klarna.
    HttpsOnly,
    /// Also `http` to this machine: what a developer has.
    HttpsOrLoopback,
    /// Any `http` or `https` URL, for closed networks.
    AnyHttp,
}

/// Which categories a session offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Categories {
    /// The one category of today, `klarna`.
    Klarna,
    /// `pay_later`, `pay_now`, `pay_over_time` by market, as older integrations know them.
    Legacy,
    /// None at all: the widget then says that Klarna is not available.
    Nothing,
}

impl Merchant {
    /// Which URLs this merchant may give.
    pub(crate) fn url_rule(&self) -> UrlRule {
        match self.settings.callback_urls {
            CallbackUrls::HttpsOnly => UrlRule::Https,
            CallbackUrls::HttpsOrLoopback => UrlRule::HttpsOrLoopback,
            CallbackUrls::AnyHttp => UrlRule::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: fn(&mut MerchantSettings), expected: Option<&str>) {
        let mut settings = MerchantSettings::default();
        change(&mut settings);
        assert_eq!(settings.wrong_member().as_deref(), expected);
    }

    #[test]
    fn wrong_settings_are_named() {
        check(|_| {}, None);
        check(|it| it.authorization_days = 0, Some("authorization_days"));
        check(|it| it.authorization_days = 181, Some("authorization_days"));
        check(|it| it.countries = Some(vec!["SE".into(), "DE".into()]), None);
        check(|it| it.countries = Some(vec!["SE".into(), "XX".into()]), Some("countries"));
        check(|it| it.countries = Some(vec!["se".into()]), Some("countries"));
        check(|it| it.countries = Some(Vec::new()), Some("countries"));
        check(|it| it.hosted_page_idle_minutes = Some(0), Some("hosted_page_idle_minutes"));
        check(|it| it.hosted_page_idle_minutes = Some(2_880), None);
        check(|it| it.hosted_page_idle_minutes = Some(2_881), Some("hosted_page_idle_minutes"));
        check(|it| it.settlements.delay_days = 31, Some("settlements.delay_days"));
    }
}
