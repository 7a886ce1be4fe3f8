//! Whether a customer token can be charged, and what the charge is refused with.
//!
//! Klarna looks at the shopper anew for each charge, and nobody is there to answer a question: what the
//! shopper's e-mail address asks for decides, as it does in the purchase flow. A test can also plan that
//! the next charges fail.

use klarna_types::customer_token::TokenOrderBody;
use klarna_types::payments::AuthorizedPaymentMethod;
use serde::{Deserialize, Serialize};

use super::{CustomerToken, TokenStatus};
use crate::domain::decision::{self, Approved, Reviews};
use crate::domain::merchant::{Merchant, Permission, Strictness};

/// What Klarna says of a charge that its payment method did not bear.
pub(crate) const METHOD_FAILED: &str = "Purchase for payment method failed";

/// The next so many charges fail in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedFailure {
    /// How many are left; at least one.
    pub(crate) times: u32,
    /// How they fail.
    pub(crate) with: Failure,
}

/// How a charge can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Failure {
    /// 403: the payment method did not bear it.
    PaymentMethodFailed,
    /// 403: the payment method cannot be used.
    UnavailablePaymentMethod,
    /// 503: not now.
    ServiceUnavailable,
}

impl Failure {
    /// All of them.
    pub(crate) const ALL: [Self; 3] =
        [Self::PaymentMethodFailed, Self::UnavailablePaymentMethod, Self::ServiceUnavailable];

    /// Klarna's code of it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::PaymentMethodFailed => "PAYMENT_METHOD_FAILED",
            Self::UnavailablePaymentMethod => "UNAVAILABLE_PAYMENT_METHOD",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
        }
    }
}

/// Why a token is not charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChargeRefusal {
    /// Klarna stopped the token for now.
    #[error("the customer token is suspended")]
    Suspended,
    /// The token is cancelled.
    #[error("the customer token is cancelled")]
    Cancelled,
    /// The account may not capture automatically.
    #[error("the account may not capture automatically")]
    AutoCapture,
    /// Recurring lines differ from those that were signed up for.
    #[error("{} differ from what the shopper signed up for", .0.join(", "))]
    Terms(Vec<String>),
    /// The method cannot be used so.
    #[error("{why}")]
    MethodUnavailable {
        /// For the request log.
        why: String,
    },
    /// The method did not bear the charge.
    #[error("{why}")]
    MethodFailed {
        /// For the request log.
        why: String,
    },
    /// Not now.
    #[error("a test asked for this outage")]
    ServiceUnavailable,
}

impl ChargeRefusal {
    /// Whether the shopper, if there, may put another method in the place of the one that failed.
    pub(crate) fn can_be_recovered(&self) -> bool {
        match self {
            Self::MethodUnavailable { .. } | Self::MethodFailed { .. } => true,
            Self::Suspended
            | Self::Cancelled
            | Self::AutoCapture
            | Self::Terms(_)
            | Self::ServiceUnavailable => false,
        }
    }
}

impl CustomerToken {
    /// Whether its status lets it be charged at all.
    pub(crate) fn check_chargeable(&self) -> Result<(), ChargeRefusal> {
        match self.status {
            TokenStatus::Active => Ok(()),
            TokenStatus::Suspended => Err(ChargeRefusal::Suspended),
            TokenStatus::Cancelled => Err(ChargeRefusal::Cancelled),
        }
    }

    /// Judges a charge whose data are in order. A planned failure that applies is used up by it.
    pub(crate) fn judge(
        &mut self,
        body: &TokenOrderBody,
        merchant: &Merchant,
    ) -> Result<Approved, ChargeRefusal> {
        self.check_chargeable()?;
        if body.auto_capture == Some(true) && !merchant.may(Permission::AutoCapture) {
            return Err(ChargeRefusal::AutoCapture);
        }
        self.check_currency(body)?;
        if merchant.wants(Strictness::SubscriptionTerms) {
            self.check_terms(body)?;
        }
        self.take_planned()?;
        let shipped_to =
            body.shipping_address.as_ref().and_then(|address| address.email.as_deref());
        let reviews =
            if merchant.may(Permission::PendingOrders) { Reviews::On } else { Reviews::Off };
        let email = shipped_to.or(self.email.as_deref());
        decision::decide_charge(email, &self.country, reviews, self.identification).map_err(
            |reason| ChargeRefusal::MethodFailed {
                why: format!("the new assessment is negative: {reason}"),
            },
        )
    }

    fn check_currency(&self, body: &TokenOrderBody) -> Result<(), ChargeRefusal> {
        if body.purchase_currency.as_ref() == Some(&self.currency) {
            return Ok(());
        }
        let method = self.payment_method.kind.as_str();
        let (country, currency) = (&self.country, &self.currency);
        let why =
            format!("purchase_currency: {method} in {country} can be charged in {currency} only");
        Err(ChargeRefusal::MethodUnavailable { why })
    }

    /// Recurring lines carry the subscription that the shopper signed up for, if there was one.
    fn check_terms(&self, body: &TokenOrderBody) -> Result<(), ChargeRefusal> {
        if self.subscriptions.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = body
            .order_lines
            .iter()
            .flatten()
            .enumerate()
            .filter(|(_, line)| {
                line.subscription.as_ref().is_some_and(|terms| !self.subscriptions.contains(terms))
            })
            .map(|(index, _)| format!("order_lines[{index}].subscription"))
            .collect();
        if paths.is_empty() { Ok(()) } else { Err(ChargeRefusal::Terms(paths)) }
    }

    fn take_planned(&mut self) -> Result<(), ChargeRefusal> {
        let Some(planned) = self.planned else { return Ok(()) };
        self.planned = planned
            .times
            .checked_sub(1)
            .filter(|left| *left > 0)
            .map(|times| PlannedFailure { times, ..planned });
        let why = || "a test asked for this refusal".to_owned();
        Err(match planned.with {
            Failure::PaymentMethodFailed => ChargeRefusal::MethodFailed { why: why() },
            Failure::UnavailablePaymentMethod => ChargeRefusal::MethodUnavailable { why: why() },
            Failure::ServiceUnavailable => ChargeRefusal::ServiceUnavailable,
        })
    }

    /// Plans failures in the place of those planned before; none if `times` is zero.
    pub(crate) fn plan(&mut self, times: u32, with: Failure) {
        self.planned = (times > 0).then_some(PlannedFailure { times, with });
    }

    /// Puts another method in the place of the one that failed, by a purchase in which the shopper was
    /// there. What was planned for the old method is void.
    pub(crate) fn replace_method(
        &mut self,
        payment_method: AuthorizedPaymentMethod,
        instrument: super::Instrument,
        payment_method_reference: String,
        email: Option<String>,
    ) {
        self.payment_method = payment_method;
        self.instrument = instrument;
        self.payment_method_reference = payment_method_reference;
        self.email = email.or_else(|| self.email.take());
        self.identification = decision::Identification::Passed;
        self.planned = self.planned.filter(|planned| planned.with == Failure::ServiceUnavailable);
    }
}

#[cfg(test)]
mod tests {
    use klarna_types::order_line::{OrderLineBody, SubscriptionBody, SubscriptionInterval};
    use klarna_types::payments::PaymentMethodType;
    use klarna_types::{Address, Country, Currency};
    use proptest::prelude::*;

    use super::super::tests::token;
    use super::super::{Instrument, state::Command};
    use super::*;
    use crate::domain::authorization::Review;

    fn charge() -> TokenOrderBody {
        TokenOrderBody::new().purchase_currency(Currency::SEK)
    }

    fn merchant() -> Merchant {
        Merchant::new("K1")
    }

    fn steered_by(email: &str) -> CustomerToken {
        CustomerToken { email: Some(email.to_owned()), ..token() }
    }

    fn fate(token: &mut CustomerToken, body: &TokenOrderBody, merchant: &Merchant) -> String {
        match token.judge(body, merchant) {
            Ok(approved) => format!("{:?} {:?}", approved.review, approved.dispute),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn status_permission_and_currency_come_before_the_assessment() {
        let check =
            |token: &CustomerToken, body: &TokenOrderBody, merchant: &Merchant, expected| {
                assert_eq!(fate(&mut token.clone(), body, merchant), expected);
            };
        let mut suspended = steered_by("customer+denied@email.se");
        suspended.obey(Command::Suspend, 1).unwrap();
        check(&suspended, &charge(), &merchant(), "the customer token is suspended");
        let mut cancelled = suspended.clone();
        cancelled.obey(Command::Cancel, 2).unwrap();
        check(&cancelled, &charge(), &merchant(), "the customer token is cancelled");
        let mut poor = merchant();
        poor.settings.permissions.clear();
        let capturing = charge().auto_capture(true);
        check(&token(), &capturing, &poor, "the account may not capture automatically");
        check(&token(), &capturing, &merchant(), "None None");
        let euros = charge().purchase_currency(Currency::EUR);
        let expected = "purchase_currency: invoice in SE can be charged in SEK only";
        check(&token(), &euros, &merchant(), expected);
    }

    #[test]
    fn the_address_decides_as_it_does_in_the_purchase_flow() {
        let check = |email: &str, expected: &str| {
            assert_eq!(fate(&mut steered_by(email), &charge(), &merchant()), expected, "{email}");
        };
        let refused = |reason: &str| format!("the new assessment is negative: {reason}");
        check("customer@email.se", "None None");
        check("customer+denied@email.se", &refused("denied"));
        check("customer+red@email.se", &refused("pre_screening"));
        check("customer+reject_reason_high_risk@email.se", &refused("high_risk"));
        check("customer+disputed-return@email.se", "None Some(\"return\")");
        // Whoever passed the extra step when signing up has passed it; who is denied without it is.
        check("customer+auth_otp_email@email.se", "None None");
        check("customer+denied+auth_otp_email@email.se", &refused("could_not_establish_identity"));
        // Reviews are of two markets.
        check("customer+pend-accept-05@email.se", "None None");
        let mut british = CustomerToken {
            country: Country::GB,
            currency: Currency::GBP,
            ..steered_by("customer+pend-reject-05@email.uk")
        };
        let pounds = charge().purchase_currency(Currency::GBP);
        let approved = british.judge(&pounds, &merchant()).unwrap();
        assert_eq!(approved.review, Review::RejectAfterMinutes(5));
        // Where a parcel goes counts for more than who signed up.
        let to_denied = charge().shipping_address(Address::new().email("customer+denied@email.se"));
        assert_eq!(fate(&mut token(), &to_denied, &merchant()), refused("denied"));
    }

    #[test]
    fn terms_are_compared_only_where_the_account_asks_for_it() {
        let terms = |count: i64| {
            SubscriptionBody::new()
                .name("Kaffe")
                .interval(SubscriptionInterval::Month)
                .interval_count(count)
        };
        let line = |count: i64| OrderLineBody::new().subscription(terms(count));
        let body = charge().order_lines(vec![line(1), OrderLineBody::new(), line(2)]);
        let mut strict = merchant();
        strict.settings.strictness.push(Strictness::SubscriptionTerms);
        let signed_up = CustomerToken { subscriptions: vec![terms(1)], ..token() };
        assert_eq!(
            signed_up.clone().judge(&body, &strict),
            Err(ChargeRefusal::Terms(vec!["order_lines[2].subscription".to_owned()]))
        );
        assert!(signed_up.clone().judge(&body, &merchant()).is_ok());
        // Mixed payments: nothing recurring was in the session.
        assert!(token().judge(&body, &strict).is_ok());
    }

    #[test]
    fn another_method_heals_the_token() {
        let mut token = steered_by("customer+denied+auth_otp_email@email.se");
        token.plan(3, Failure::PaymentMethodFailed);
        assert!(token.judge(&charge(), &merchant()).unwrap_err().can_be_recovered());
        token.replace_method(
            AuthorizedPaymentMethod::new(PaymentMethodType::PayByCard),
            Instrument::Bill,
            "new".to_owned(),
            None,
        );
        assert!(token.judge(&charge(), &merchant()).is_ok());
        // An outage is nothing that another method heals.
        token.plan(1, Failure::ServiceUnavailable);
        token.replace_method(
            AuthorizedPaymentMethod::new(PaymentMethodType::PayByCard),
            Instrument::Bill,
            "newer".to_owned(),
            Some("customer@email.se".to_owned()),
        );
        let refusal = token.judge(&charge(), &merchant()).unwrap_err();
        assert_eq!(
            (refusal.can_be_recovered(), refusal),
            (false, ChargeRefusal::ServiceUnavailable)
        );
    }

    proptest! {
        /// Exactly as many charges fail as were planned, whatever else is refused meanwhile.
        #[test]
        fn exactly_the_planned_number_fails(
            times in 0_u32..6,
            kind in 0_usize..3,
            bad in prop::collection::vec(any::<bool>(), 0..12),
        ) {
            let mut token = token();
            token.plan(times, Failure::ALL[kind]);
            let (mut failed, mut good_calls) = (0, 0);
            for wrong_currency in bad {
                let currency = if wrong_currency { Currency::EUR } else { Currency::SEK };
                let outcome = token.judge(&charge().purchase_currency(currency), &merchant());
                if wrong_currency {
                    let unavailable = matches!(outcome, Err(ChargeRefusal::MethodUnavailable { .. }));
                    prop_assert!(unavailable);
                } else {
                    good_calls += 1;
                    failed += u32::from(outcome.is_err());
                }
            }
            prop_assert_eq!(failed, times.min(good_calls));
            prop_assert_eq!(token.planned.map_or(0, |planned| planned.times), times - failed);
        }
    }
}
