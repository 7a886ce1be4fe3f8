//! What Klarna agreed with a merchant about disputes, and where the playground leaves a choice.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason::Reason;
use super::table::Framework;

/// When the disputed amount leaves the merchant's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Hold {
    /// When the dispute is lost.
    None,
    /// When it is raised; given back when it is won.
    OnDisputeInitiated,
}

/// Where a merchant wants to be told of its disputes and payment requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "the name that Klarna gives it")]
pub(crate) struct Webhook {
    /// Where to.
    pub(crate) url: String,
    /// The key of the signature; made up when it is left out.
    #[serde(default)]
    pub(crate) signing_key: String,
    /// What the key is called; made up when it is left out.
    #[serde(default)]
    pub(crate) signing_key_id: String,
    /// What the webhook is called; made up when it is left out.
    #[serde(default)]
    pub(crate) webhook_id: String,
    /// What it is told of, such as `payment.request.*`; of disputes when nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) event_types: Vec<String>,
}

impl Webhook {
    /// Whether it is to be told of events of this type.
    pub(crate) fn wants(&self, event_type: &str) -> bool {
        let covers = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => event_type.starts_with(beginning),
            None => event_type == pattern,
        };
        if self.event_types.is_empty() {
            covers("payment.dispute.*")
        } else {
            self.event_types.iter().any(|pattern| covers(pattern))
        }
    }
}

/// Whether an account is a merchant or acts for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountKind {
    /// A merchant.
    #[default]
    Merchant,
    /// A partner: it sees the disputes of the merchants that name it.
    Partner,
}

/// Disputes of one merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DisputeSettings {
    /// Whether the account is a merchant or acts for others.
    pub(crate) account: AccountKind,
    /// The partner that acts for this merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partner_id: Option<String>,
    /// Where to be told of disputes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Webhook>,
    /// When the amount leaves the balance, in the process of version 4.
    pub(crate) hold_policy: Hold,
    /// When it does in the older process.
    pub(crate) hold_policy_2020: Hold,
    /// Of how many in a thousand captures the shopper raises a dispute by himself.
    pub(crate) rate_per_mille: u16,
    /// Which captures these are: the same seed picks the same ones.
    pub(crate) seed: u64,
    /// In which process they are raised.
    pub(crate) framework: Framework,
    /// Disputes below this amount, in minor units, are lost at once.
    pub(crate) auto_reject_below: i64,
    /// Minutes that Klarna takes to review an answer.
    pub(crate) review_minutes: u32,
    /// Minutes that Klarna takes to decide finally.
    pub(crate) arbitration_minutes: u32,
    /// What a dispute costs, in minor units by currency, where it is not the published fee.
    pub(crate) fees: BTreeMap<String, i64>,
    /// Whether that is given back when the dispute is won.
    pub(crate) fee_refundable: bool,
    /// Whether Klarna bears the loss of fraud.
    pub(crate) fraud_protection: bool,
}

impl Default for DisputeSettings {
    fn default() -> Self {
        Self {
            account: AccountKind::Merchant,
            partner_id: None,
            webhook: None,
            hold_policy: Hold::OnDisputeInitiated,
            hold_policy_2020: Hold::None,
            rate_per_mille: 0,
            seed: 0,
            framework: Framework::F2026,
            auto_reject_below: 0,
            review_minutes: 3 * 24 * 60,
            arbitration_minutes: 5 * 24 * 60,
            fees: BTreeMap::new(),
            fee_refundable: true,
            fraud_protection: false,
        }
    }
}

impl DisputeSettings {
    /// What a dispute costs in this currency: as agreed, or Klarna's published table (its older edition;
    /// current amounts are not public).
    pub(crate) fn fee(&self, currency: &Currency) -> MinorUnits {
        let agreed = self.fees.get(currency.as_str()).copied();
        let fee = agreed.unwrap_or(match currency.as_str() {
            "EUR" => 750,
            "SEK" | "NOK" | "DKK" => 7_500,
            "GBP" => 600,
            "PLN" => 3_000,
            "CZK" => 15_000,
            "RON" => 3_500,
            "USD" => 800,
            "CAD" => 1_100,
            "AUD" | "NZD" => 1_200,
            _ => 0,
        });
        MinorUnits::new(fee.max(0))
    }

    /// When the amount leaves the balance in a dispute. What Klarna bears is debited and credited
    /// together, at the end.
    pub(crate) fn hold(&self, framework: Framework, reason: Reason) -> Hold {
        if self.fraud_protection && reason.is_fraud() {
            return Hold::None;
        }
        match framework {
            Framework::F2020 => self.hold_policy_2020,
            Framework::F2026 => self.hold_policy,
        }
    }

    /// How long a review takes.
    pub(crate) fn review_time(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.review_minutes) * 60)
    }

    /// How long the final decision takes.
    pub(crate) fn arbitration_time(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.arbitration_minutes) * 60)
    }

    /// Whether the shopper of a capture raises a dispute by himself, and why. `draw` is any number that
    /// belongs to the capture and the seed.
    pub(crate) fn spontaneous(&self, draw: u64) -> Option<Reason> {
        const REASONS: [Reason; 6] = [
            Reason::Return,
            Reason::GoodsNotReceived,
            Reason::FaultyGoods,
            Reason::IncorrectInvoice,
            Reason::AlreadyPaid,
            Reason::UnauthorizedPurchase,
        ];
        if draw % 1_000 >= u64::from(self.rate_per_mille) {
            return None;
        }
        let count = u64::try_from(REASONS.len()).unwrap_or(1);
        REASONS.get(usize::try_from(draw / 1_000 % count).unwrap_or(0)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_told_of_what_it_wants() {
        let webhook = |event_types: &[&str]| Webhook {
            url: "https://shop.example".to_owned(),
            signing_key: String::new(),
            signing_key_id: String::new(),
            webhook_id: String::new(),
            event_types: event_types.iter().map(|text| (*text).to_owned()).collect(),
        };
        for (event_types, of_disputes, of_requests) in [
            (&[][..], true, false),
            (&["payment.request.*"][..], false, true),
            (&["payment.request.state-change.completed"][..], false, true),
            (&["payment.request.state-change.expired"][..], false, false),
            (&["payment.dispute.*", "payment.request.*"][..], true, true),
            (&["*"][..], true, true),
        ] {
            let webhook = webhook(event_types);
            assert_eq!(webhook.wants("payment.dispute.state-change.closed"), of_disputes);
            assert_eq!(webhook.wants("payment.request.state-change.completed"), of_requests);
        }
    }
}
