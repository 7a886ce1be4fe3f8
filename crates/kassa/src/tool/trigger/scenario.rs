//! What can be made to happen, and by which steps.

use clap::ValueEnum;
use klarna::types::payments::{AcquiringChannel, Intent};
use serde_json::json;

use crate::tool::failure::Failure;
use crate::tool::trigger::story::Story;

/// Something that can be made to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// A shopper approves: there is an authorization token
    #[value(name = "payment.authorized")]
    PaymentAuthorized,
    /// Klarna refuses the shopper
    #[value(name = "payment.declined")]
    PaymentDeclined,
    /// An order is placed
    #[value(name = "payment.placed")]
    PaymentPlaced,
    /// An order is placed and captured
    #[value(name = "payment.captured")]
    PaymentCaptured,
    /// Half of an order is captured
    #[value(name = "payment.part_captured")]
    PaymentPartCaptured,
    /// An order is captured and refunded
    #[value(name = "payment.refunded")]
    PaymentRefunded,
    /// Half of what was captured is refunded
    #[value(name = "payment.part_refunded")]
    PaymentPartRefunded,
    /// An order is cancelled before it was captured
    #[value(name = "payment.cancelled")]
    PaymentCancelled,
    /// Half of an order is captured, and the rest given back
    #[value(name = "payment.released")]
    PaymentReleased,
    /// An order is under review (US, GB)
    #[value(name = "payment.pending")]
    PaymentPending,
    /// An order under review is accepted; moves the clock
    #[value(name = "payment.pending_accepted")]
    PaymentPendingAccepted,
    /// An order under review is rejected; moves the clock
    #[value(name = "payment.pending_rejected")]
    PaymentPendingRejected,
    /// A shopper signs up: there is a customer token
    #[value(name = "token.created")]
    TokenCreated,
    /// A customer token is charged
    #[value(name = "token.charged")]
    TokenCharged,
    /// A charge is refused, because the shopper's method fails
    #[value(name = "token.refused")]
    TokenRefused,
    /// Klarna suspends a customer token
    #[value(name = "token.suspended")]
    TokenSuspended,
    /// The merchant cancels a customer token
    #[value(name = "token.cancelled")]
    TokenCancelled,
    /// A shopper pays on a hosted page, which places the order
    #[value(name = "hosted.completed")]
    HostedCompleted,
    /// A shopper is refused on a hosted page
    #[value(name = "hosted.failed")]
    HostedFailed,
    /// A shopper calls off on a hosted page that came by telephone
    #[value(name = "hosted.cancelled")]
    HostedCancelled,
    /// A shopper goes back to the shop
    #[value(name = "hosted.back")]
    HostedBack,
    /// The merchant closes a hosted page
    #[value(name = "hosted.disabled")]
    HostedDisabled,
    /// A shopper pays at the till, on the phone
    #[value(name = "in_store.completed")]
    InStoreCompleted,
    /// The store calls a purchase off
    #[value(name = "in_store.cancelled")]
    InStoreCancelled,
    /// The link of a purchase in a store fails
    #[value(name = "in_store.failed")]
    InStoreFailed,
    /// What was captured is paid out
    #[value(name = "settlement.paid")]
    SettlementPaid,
    /// A shopper disputes a capture
    #[value(name = "dispute.opened")]
    DisputeOpened,
    /// The merchant answers a dispute with evidence
    #[value(name = "dispute.represented")]
    DisputeRepresented,
    /// The merchant accepts the loss
    #[value(name = "dispute.accepted")]
    DisputeAccepted,
    /// Klarna decides for the merchant
    #[value(name = "dispute.won")]
    DisputeWon,
    /// Klarna decides against the merchant, after an appeal
    #[value(name = "dispute.lost")]
    DisputeLost,
    /// The merchant appeals against a preliminary loss
    #[value(name = "dispute.appealed")]
    DisputeAppealed,
    /// The merchant's time to answer is over
    #[value(name = "dispute.expired")]
    DisputeExpired,
}

impl Scenario {
    /// Its name.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What happens.
    pub(super) fn about(self) -> String {
        let value = self.to_possible_value();
        let help = value.as_ref().and_then(|value| value.get_help());
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// Whether its order is to be under review.
    pub(super) fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PaymentPending | Self::PaymentPendingAccepted | Self::PaymentPendingRejected
        )
    }

    /// Lets it happen.
    pub(super) async fn happen(self, story: &mut Story) -> Result<(), Failure> {
        match self {
            Self::PaymentAuthorized => story.authorized(Intent::Buy, "").await.map(drop),
            Self::PaymentDeclined => story.declined().await,
            Self::PaymentPlaced => story.placed("").await.map(drop),
            Self::PaymentCaptured => story.captured().await.map(drop),
            Self::PaymentPartCaptured => {
                let order = story.placed("").await?;
                story.capture(&order, story.half()).await?;
                story.order_now(&order).await
            }
            Self::PaymentRefunded => {
                let order = story.captured().await?;
                story.refund(&order, story.amount).await?;
                story.order_now(&order).await
            }
            Self::PaymentPartRefunded => {
                let order = story.captured().await?;
                story.refund(&order, story.half()).await?;
                story.order_now(&order).await
            }
            Self::PaymentCancelled => {
                let order = story.placed("").await?;
                story.client.orders().cancel(&order).await?;
                story.order_now(&order).await
            }
            Self::PaymentReleased => {
                let order = story.placed("").await?;
                story.capture(&order, story.half()).await?;
                story.client.orders().release_remaining_authorization(&order).await?;
                story.order_now(&order).await
            }
            Self::PaymentPending => {
                let order = story.placed("pend-accept-10").await?;
                story.order_now(&order).await
            }
            Self::PaymentPendingAccepted => story.reviewed("pend-accept-00").await,
            Self::PaymentPendingRejected => story.reviewed("pend-reject-00").await,
            Self::TokenCreated => story.signed_up().await.map(drop),
            Self::TokenCharged => {
                let token = story.signed_up().await?;
                story.charge(&token).await
            }
            Self::TokenRefused => {
                let token = story.signed_up().await?;
                story.change_token(&token, json!({ "action": "fail_next" })).await?;
                story.charge_refused(&token).await
            }
            Self::TokenSuspended => {
                let token = story.signed_up().await?;
                story.change_token(&token, json!({ "action": "suspend" })).await?;
                story.token_now(&token).await
            }
            Self::TokenCancelled => {
                let token = story.signed_up().await?;
                story.client.customer_tokens().cancel(&token).await?;
                story.token_now(&token).await
            }
            Self::HostedCompleted => story.hosted(None, "approve").await,
            Self::HostedFailed => story.hosted(None, "deny").await,
            Self::HostedCancelled => {
                story.hosted(Some(AcquiringChannel::Telesales), "cancel").await
            }
            Self::HostedBack => story.hosted(None, "back").await,
            Self::HostedDisabled => story.hosted_disabled().await,
            Self::InStoreCompleted => story.in_store("approve").await,
            Self::InStoreCancelled => story.in_store_called_off().await,
            Self::InStoreFailed => story.in_store("fail").await,
            Self::SettlementPaid => story.paid_out().await,
            Self::DisputeOpened => story.disputed(None).await.map(drop),
            Self::DisputeRepresented => {
                let dispute = story.disputed(None).await?;
                story.represent(&dispute).await?;
                story.dispute_now(&dispute).await
            }
            Self::DisputeAccepted => {
                let dispute = story.disputed(Some("manual")).await?;
                story.client.disputes().accept_loss(&dispute).await?;
                story.dispute_now(&dispute).await
            }
            Self::DisputeWon => {
                let dispute = story.disputed(Some("manual")).await?;
                story.represent(&dispute).await?;
                story.decide(&dispute, "won").await?;
                story.dispute_now(&dispute).await
            }
            Self::DisputeLost => {
                let dispute = story.appealed().await?;
                story.decide(&dispute, "lost").await?;
                story.dispute_now(&dispute).await
            }
            Self::DisputeAppealed => {
                let dispute = story.appealed().await?;
                story.dispute_now(&dispute).await
            }
            Self::DisputeExpired => {
                let dispute = story.disputed(Some("manual")).await?;
                story.decide(&dispute, "expire").await?;
                story.dispute_now(&dispute).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_and_says_what_happens() {
        for scenario in Scenario::value_variants() {
            assert_eq!(scenario.name().matches('.').count(), 1, "{scenario:?}");
            assert!(!scenario.about().is_empty(), "{scenario:?}");
            assert_eq!(Scenario::from_str(&scenario.name(), false), Ok(*scenario));
        }
    }
}
