//! A customer token: the shopper's standing permission to be charged again, with what a charge will
//! need to know.
//!
//! Which methods can stand behind a token is not published beyond the error that names method and
//! country; the table here is this playground's: what can be charged again without the shopper, in
//! markets that have it. A token never ends by itself.

pub(crate) mod charge;
pub(crate) mod state;
pub(crate) mod step_up;

use klarna_types::order_line::SubscriptionBody;
use klarna_types::payments::{
    AuthorizedPaymentMethod, IntendedUse, Intent, PaymentMethodType, SessionBody,
};
use klarna_types::{
    Address, Country, Currency, Customer, CustomerTokenId, Locale, MerchantId, SessionId,
};
use serde::{Deserialize, Serialize};

use self::charge::PlannedFailure;
use crate::domain::categories;
use crate::domain::decision::Identification;

/// Whether a token can be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TokenStatus {
    /// It can.
    Active,
    /// Klarna stopped it for now.
    Suspended,
    /// Never again.
    Cancelled,
}

impl TokenStatus {
    /// As stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// What is charged, as far as a merchant may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Instrument {
    /// A card.
    Card {
        /// Whose.
        brand: String,
        /// `MM/YYYY`.
        expiry_date: String,
        /// All but the last four digits as stars.
        masked_number: String,
    },
    /// A bank account.
    BankAccount {
        /// All but the last four digits as stars.
        masked_number: String,
    },
    /// Nothing but Klarna's own bill.
    Bill,
}

/// A customer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CustomerToken {
    /// Its id.
    pub(crate) token_id: CustomerTokenId,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// The session it was made in.
    pub(crate) session_id: SessionId,
    /// Whether it can be charged.
    pub(crate) status: TokenStatus,
    /// When it was made.
    pub(crate) created_at_ms: i64,
    /// How it is charged.
    pub(crate) payment_method: AuthorizedPaymentMethod,
    /// What is charged.
    pub(crate) instrument: Instrument,
    /// Names the method towards the merchant.
    pub(crate) payment_method_reference: String,
    /// Where the shopper buys.
    pub(crate) country: Country,
    /// In what is charged.
    pub(crate) currency: Currency,
    /// The shopper's language.
    pub(crate) locale: Locale,
    /// What the shopper was told it is for.
    pub(crate) description: String,
    /// What it is for.
    pub(crate) intended_use: IntendedUse,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) billing_address: Option<Address>,
    /// Where things go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_address: Option<Address>,
    /// More about who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Customer>,
    /// The e-mail address that steered the decision, and will steer those on charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The recurring terms that the shopper signed up for, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subscriptions: Vec<SubscriptionBody>,
    /// Charges that a test wants to fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) planned: Option<PlannedFailure>,
    /// Whether the shopper has since recovered a charge that failed.
    #[serde(default)]
    pub(crate) identification: Identification,
    /// When it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cancelled_at_ms: Option<i64>,
}

/// Why no token can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenizingRefusal {
    /// The session is for something else.
    #[error("Not allowed to create customer token for intent {0}")]
    Intent(Intent),
    /// The shopper chose to pay in a way that cannot be charged again.
    #[error("{method} is not valid for creating customer tokens in {country}")]
    Method {
        /// The way, in upper case as customer tokens name it.
        method: String,
        /// Where.
        country: Country,
    },
}

/// What becomes of the session when its token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It is complete: there was nothing else to do in it.
    SessionCompletes,
    /// The first purchase follows, by the same authorization.
    PurchaseFollows,
}

/// Whether the method that the shopper chooses is going to be charged again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reuse {
    /// No; in mixed payments a plain form of it is, whatever it be.
    #[default]
    Once,
    /// Yes.
    Again,
}

impl Reuse {
    /// What an intent asks for.
    pub(crate) fn by(intent: Option<&Intent>) -> Self {
        match intent {
            Some(Intent::Tokenize | Intent::BuyAndTokenize) => Self::Again,
            Some(
                Intent::Buy
                | Intent::BuyAndDefaultTokenize
                | Intent::BuyAndLink
                | Intent::Unknown(_),
            )
            | None => Self::Once,
        }
    }
}

/// Whether sessions of an intent make tokens. An absent intent is a purchase.
pub(crate) fn allowed_by(intent: Option<&Intent>) -> Result<Afterwards, TokenizingRefusal> {
    match intent {
        Some(Intent::Tokenize) => Ok(Afterwards::SessionCompletes),
        Some(Intent::BuyAndTokenize | Intent::BuyAndDefaultTokenize) => {
            Ok(Afterwards::PurchaseFollows)
        }
        Some(other @ (Intent::Buy | Intent::BuyAndLink | Intent::Unknown(_))) => {
            Err(TokenizingRefusal::Intent(other.clone()))
        }
        None => Err(TokenizingRefusal::Intent(Intent::Buy)),
    }
}

/// The method that stands behind the token: the one that the shopper chose, if that can be. In mixed
/// payments it is a plain form of it: by card, from the account, or 30 days later.
pub(crate) fn method_behind(
    chosen: &AuthorizedPaymentMethod,
    intent: Option<&Intent>,
    country: &Country,
) -> Result<AuthorizedPaymentMethod, TokenizingRefusal> {
    use PaymentMethodType::{Card, DirectDebit, Invoice, PayByCard, PayLaterByCard, SliceItByCard};
    if intent == Some(&Intent::BuyAndDefaultTokenize) {
        return Ok(match &chosen.kind {
            Card | PayByCard | PayLaterByCard | SliceItByCard => {
                AuthorizedPaymentMethod::new(PayByCard)
            }
            DirectDebit if is_valid(&DirectDebit, country) => {
                AuthorizedPaymentMethod::new(DirectDebit)
            }
            _ => AuthorizedPaymentMethod {
                number_of_days: Some(30),
                ..AuthorizedPaymentMethod::new(Invoice)
            },
        });
    }
    if is_valid(&chosen.kind, country) {
        return Ok(chosen.clone());
    }
    let method = chosen.kind.as_str().to_ascii_uppercase();
    Err(TokenizingRefusal::Method { method, country: country.clone() })
}

/// Whether a method can be charged again without the shopper.
pub(crate) fn is_valid(method: &PaymentMethodType, country: &Country) -> bool {
    use PaymentMethodType as Method;
    match method {
        Method::Invoice | Method::Card | Method::PayByCard | Method::PayLaterByCard => true,
        Method::DirectDebit => categories::has_pay_now(country),
        Method::BaseAccount => categories::has_pay_over_time(country),
        // One transfer, one financing, one company's purchase: none of them can be had again without
        // the shopper. What is not known here is none, either.
        _ => false,
    }
}

/// The recurring terms in the cart of a session, each once.
pub(crate) fn subscriptions(session: &SessionBody) -> Vec<SubscriptionBody> {
    let mut found: Vec<SubscriptionBody> = Vec::new();
    for terms in session.order_lines.iter().flatten().filter_map(|line| line.subscription.as_ref())
    {
        if !found.contains(terms) {
            found.push(terms.clone());
        }
    }
    found
}

/// The method of a purchase that recovers a refused charge, in the form in which it can stand behind the
/// token: the chosen one, or else, since the shopper has bought, a plain form of it.
pub(crate) fn recovered_method(
    chosen: &AuthorizedPaymentMethod,
    country: &Country,
) -> Result<AuthorizedPaymentMethod, TokenizingRefusal> {
    method_behind(chosen, None, country)
        .or_else(|_| method_behind(chosen, Some(&Intent::BuyAndDefaultTokenize), country))
}

/// What is charged by a method. The numbers are made up from `random`.
pub(crate) fn instrument(
    method: &PaymentMethodType,
    random: u64,
    year_of_purchase: i16,
) -> Instrument {
    let last_four = random % 10_000;
    match method {
        PaymentMethodType::Card
        | PaymentMethodType::PayByCard
        | PaymentMethodType::PayLaterByCard => Instrument::Card {
            brand: "VISA".to_owned(),
            expiry_date: format!("12/{}", year_of_purchase.saturating_add(3)),
            masked_number: format!("************{last_four:04}"),
        },
        PaymentMethodType::DirectDebit => {
            Instrument::BankAccount { masked_number: format!("******************{last_four:04}") }
        }
        _ => Instrument::Bill,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Swedish token on invoice.
    pub(super) fn token() -> CustomerToken {
        CustomerToken {
            token_id: "t".into(),
            merchant_id: "K1".into(),
            session_id: "s".into(),
            status: TokenStatus::Active,
            created_at_ms: 0,
            payment_method: AuthorizedPaymentMethod::new(PaymentMethodType::Invoice),
            instrument: Instrument::Bill,
            payment_method_reference: "r".to_owned(),
            country: Country::SE,
            currency: Currency::SEK,
            locale: Locale::new("sv-SE"),
            description: "Kaffe".to_owned(),
            intended_use: IntendedUse::Subscription,
            billing_address: None,
            shipping_address: None,
            customer: None,
            email: None,
            subscriptions: Vec::new(),
            planned: None,
            identification: Identification::Outstanding,
            cancelled_at_ms: None,
        }
    }

    #[test]
    fn the_intent_decides() {
        use Afterwards::{PurchaseFollows, SessionCompletes};
        let check = |intent: Option<Intent>, expected: Result<Afterwards, &str>| {
            let found = allowed_by(intent.as_ref()).map_err(|refusal| refusal.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{intent:?}");
        };
        let buy = Err("Not allowed to create customer token for intent buy");
        check(None, buy);
        check(Some(Intent::Buy), buy);
        let link = Err("Not allowed to create customer token for intent buy_and_link");
        check(Some(Intent::BuyAndLink), link);
        check(Some(Intent::Tokenize), Ok(SessionCompletes));
        check(Some(Intent::BuyAndTokenize), Ok(PurchaseFollows));
        check(Some(Intent::BuyAndDefaultTokenize), Ok(PurchaseFollows));
    }

    #[test]
    fn a_method_that_cannot_be_charged_again_is_refused_by_name_and_country() {
        use PaymentMethodType as Method;
        let behind = |method: PaymentMethodType, intent: Intent, country: Country| {
            let chosen = AuthorizedPaymentMethod::new(method);
            match method_behind(&chosen, Some(&intent), &country) {
                Ok(method) => method.kind.to_string(),
                Err(refusal) => refusal.to_string(),
            }
        };
        let plain = Intent::BuyAndTokenize;
        let mixed = Intent::BuyAndDefaultTokenize;
        assert_eq!(behind(Method::Invoice, plain.clone(), Country::SE), "invoice");
        assert_eq!(behind(Method::DirectDebit, plain.clone(), Country::DE), "direct_debit");
        assert_eq!(
            behind(Method::DirectDebit, plain.clone(), Country::MX),
            "DIRECT_DEBIT is not valid for creating customer tokens in MX"
        );
        assert_eq!(
            behind(Method::DirectBankTransfer, plain.clone(), Country::SE),
            "DIRECT_BANK_TRANSFER is not valid for creating customer tokens in SE"
        );
        assert_eq!(
            behind(Method::from("barter"), plain, Country::SE),
            "BARTER is not valid for creating customer tokens in SE"
        );
        assert_eq!(behind(Method::SliceItByCard, mixed.clone(), Country::SE), "pay_by_card");
        assert_eq!(behind(Method::DirectBankTransfer, mixed.clone(), Country::SE), "invoice");
        assert_eq!(behind(Method::DirectDebit, mixed, Country::SE), "direct_debit");
    }

    #[test]
    fn an_instrument_shows_four_digits() {
        let card = Instrument::Card {
            brand: "VISA".to_owned(),
            expiry_date: "12/2029".to_owned(),
            masked_number: "************0042".to_owned(),
        };
        assert_eq!(instrument(&PaymentMethodType::PayByCard, 70_042, 2026), card);
        assert_eq!(instrument(&PaymentMethodType::Invoice, 1, 2026), Instrument::Bill);
    }
}
