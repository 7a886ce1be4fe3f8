//! What the playground decides about a shopper, as Klarna's published test data steer it.
//!
//! The lever is the e-mail address: tags after `+` in its local part choose the outcome, its domain
//! the market. Everything here is a pure function of what the shopper entered.

use jiff::civil::Date;
use klarna_types::Country;
use serde::{Deserialize, Serialize};

use crate::domain::authorization::Review;

/// The one-time code that is always wrong.
pub(crate) const WRONG_CODE: &str = "999999";

/// The youngest age that may buy.
const ADULT_YEARS: i16 = 18;

/// Reasons for a refusal that the published e-mail addresses name.
const REJECT_REASONS: [&str; 12] = [
    "other",
    "could_not_establish_identity",
    "credit_limit_exceeded",
    "customer_not_fulfilling_previous_engagements",
    "external_hard_reject",
    "high_risk",
    "legal_restraints",
    "technical_error",
    "internal_block",
    "low_credit_rating",
    "under_age",
    "denied",
];

/// What is known about the shopper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shopper<'a> {
    /// The address typed in the purchase flow, else the billing address's.
    pub(crate) email: Option<&'a str>,
    /// Where the purchase is made.
    pub(crate) country: &'a Country,
    /// When the shopper was born, if that is known.
    pub(crate) date_of_birth: Option<Date>,
    /// The day of the purchase.
    pub(crate) today: Date,
    /// The one-time code, if one was entered.
    pub(crate) otp: Option<&'a str>,
    /// How an extra step of identification ended, if there was one.
    pub(crate) step_up: Option<StepUpOutcome>,
    /// Whether the merchant's account has reviews switched on.
    pub(crate) reviews: Reviews,
}

/// Whether orders of a merchant can be pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reviews {
    /// They can (in the US and GB only).
    On,
    /// They are accepted at once.
    Off,
}

/// An extra step of identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepUp {
    /// Scan an identity document.
    IdScan,
    /// Sign in at a bank.
    BankLogin,
    /// Finnish bank identification.
    BankIdFi,
    /// Danish bank authentication.
    Monthio,
    /// A code sent by e-mail.
    OtpEmail,
    /// A code sent to the phone.
    OtpPhone,
    /// The card's security code.
    CvvEntry,
}

impl StepUp {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::IdScan,
        Self::BankLogin,
        Self::BankIdFi,
        Self::Monthio,
        Self::OtpEmail,
        Self::OtpPhone,
        Self::CvvEntry,
    ];

    /// The tag that asks for it.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::IdScan => "auth_id_scan",
            Self::BankLogin => "auth_bank_login",
            Self::BankIdFi => "auth_bank_id_fi",
            Self::Monthio => "auth_monthio",
            Self::OtpEmail => "auth_otp_email",
            Self::OtpPhone => "auth_otp_phone",
            Self::CvvEntry => "auth_cvv_entry",
        }
    }
}

/// How an extra step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepUpOutcome {
    /// The shopper passed it.
    Passed,
    /// The shopper failed or gave up.
    Failed,
}

/// Whether the shopper has an account at Klarna.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// A returning customer.
    Returning,
    /// Someone who signs up first.
    New,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Approved.
    Approved(Approved),
    /// Refused; the reason is for the log only, Klarna does not share it.
    Denied {
        /// Why.
        reason: String,
    },
    /// The shopper could not be identified; like a purchase that was broken off.
    NotIdentified,
    /// An extra step must come first.
    StepUp(StepUp),
}

/// What an approval brings with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approved {
    /// Whether the order is reviewed.
    pub(crate) review: Review,
    /// The dispute that is raised later.
    pub(crate) dispute: Option<String>,
}

/// What the tags of an e-mail address ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    Approve,
    Red,
    SignUp,
    Deny(String),
    Identify(StepUp),
    Review(Review),
    Dispute(String),
}

/// Whether a text can be a one-time code at all: six digits.
pub(crate) fn is_code(text: &str) -> bool {
    let code = text.trim();
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Decides about a shopper who went through the purchase flow.
pub(crate) fn decide(shopper: &Shopper<'_>) -> Decision {
    if shopper.otp.map(str::trim) == Some(WRONG_CODE) {
        return Decision::NotIdentified;
    }
    if shopper.date_of_birth.is_some_and(|born| is_under_age(born, shopper.today)) {
        return Decision::Denied { reason: "under_age".to_owned() };
    }
    let approved = |review, dispute| Decision::Approved(Approved { review, dispute });
    match wish(shopper.email.unwrap_or_default()) {
        Wish::Approve | Wish::SignUp => approved(Review::None, None),
        Wish::Red => Decision::Denied { reason: "pre_screening".to_owned() },
        Wish::Deny(reason) => Decision::Denied { reason },
        Wish::Identify(step) => match shopper.step_up {
            None => Decision::StepUp(step),
            Some(StepUpOutcome::Passed) => approved(Review::None, None),
            Some(StepUpOutcome::Failed) => {
                Decision::Denied { reason: "could_not_establish_identity".to_owned() }
            }
        },
        Wish::Review(review) => {
            approved(allowed_review(review, shopper.country, shopper.reviews), None)
        }
        Wish::Dispute(reason) => approved(Review::None, Some(reason)),
    }
}

/// Whether the shopper has passed an extra step since the token was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Identification {
    /// No: who is denied without that step is denied.
    #[default]
    Outstanding,
    /// Yes.
    Passed,
}

/// Decides about a charge of a customer token. The shopper is not there to pass an extra step, and has
/// passed the one at signing up; only `denied` before it stands until the shopper passes it again. The
/// error is the reason, for the log only.
pub(crate) fn decide_charge(
    email: Option<&str>,
    country: &Country,
    reviews: Reviews,
    identification: Identification,
) -> Result<Approved, String> {
    let email = email.unwrap_or_default();
    let approved = |review, dispute| Ok(Approved { review, dispute });
    match wish(email) {
        Wish::Approve | Wish::SignUp => approved(Review::None, None),
        Wish::Red => Err("pre_screening".to_owned()),
        Wish::Deny(reason) => Err(reason),
        Wish::Identify(_) => match identification {
            Identification::Outstanding if has_tag(email, "denied") => {
                Err("could_not_establish_identity".to_owned())
            }
            Identification::Outstanding | Identification::Passed => approved(Review::None, None),
        },
        Wish::Review(review) => approved(allowed_review(review, country, reviews), None),
        Wish::Dispute(reason) => approved(Review::None, Some(reason)),
    }
}

fn has_tag(email: &str, wanted: &str) -> bool {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    local.split('+').skip(1).any(|tag| tag.eq_ignore_ascii_case(wanted))
}

/// Reviews are of two markets, and of accounts that have them.
fn allowed_review(review: Review, country: &Country, reviews: Reviews) -> Review {
    match reviews {
        Reviews::On if matches!(country, Country::US | Country::GB) => review,
        Reviews::On | Reviews::Off => Review::None,
    }
}

/// Whether the widget is shown when it loads.
pub(crate) fn shows_form(email: Option<&str>) -> bool {
    !matches!(wish(email.unwrap_or_default()), Wish::Red)
}

/// Whether a shopper of this address is refused when looked at again.
pub(crate) fn refuses(email: Option<&str>) -> bool {
    matches!(wish(email.unwrap_or_default()), Wish::Deny(_) | Wish::Red)
}

/// Whether the decision is a refusal, whatever else the shopper does.
pub(crate) fn is_hopeless(email: &str) -> bool {
    matches!(wish(email), Wish::Red | Wish::Deny(_))
}

/// Whether the shopper signs up first.
pub(crate) fn account(email: &str) -> Account {
    match wish(email) {
        Wish::SignUp => Account::New,
        Wish::Approve
        | Wish::Red
        | Wish::Deny(_)
        | Wish::Identify(_)
        | Wish::Review(_)
        | Wish::Dispute(_) => Account::Returning,
    }
}

/// The extra step that an e-mail address asks for.
pub(crate) fn step_up(email: &str) -> Option<StepUp> {
    match wish(email) {
        Wish::Identify(step) => Some(step),
        _ => None,
    }
}

/// Reads the tags from left to right; the first one that ends the matter wins, but `denied` gives
/// way to an extra step named after it.
fn wish(email: &str) -> Wish {
    let email = email.trim().to_ascii_lowercase();
    let local = email.rsplit_once('@').map_or(email.as_str(), |(local, _)| local);
    let mut denied = false;
    for tag in local.split('+').skip(1) {
        if let Some(step) = StepUp::ALL.into_iter().find(|step| step.tag() == tag) {
            return Wish::Identify(step);
        }
        if denied {
            continue;
        }
        match tag {
            "red" => return Wish::Red,
            "new_user" | "require_signup" => return Wish::SignUp,
            "denied" => denied = true,
            // Austria's last address is printed without `disputed-`.
            "return_not_possible" => return Wish::Dispute(tag.to_owned()),
            _ => {
                if let Some(reason) = tag.strip_prefix("reject_reason_") {
                    return Wish::Deny(known_reason(reason).to_owned());
                }
                if let Some(reason) =
                    tag.strip_prefix("disputed-").or_else(|| tag.strip_prefix("dispute_"))
                {
                    return Wish::Dispute(reason.to_owned());
                }
                if let Some(review) = review(tag) {
                    return Wish::Review(review);
                }
            }
        }
    }
    if denied { Wish::Deny("denied".to_owned()) } else { Wish::Approve }
}

fn known_reason(reason: &str) -> &str {
    if REJECT_REASONS.contains(&reason) { reason } else { "other" }
}

/// `pend-accept-NN` and `pend-reject-NN`, NN being exactly two digits.
fn review(tag: &str) -> Option<Review> {
    let minutes = |text: &str| -> Option<u8> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    if let Some(text) = tag.strip_prefix("pend-accept-") {
        return minutes(text).map(Review::AcceptAfterMinutes);
    }
    minutes(tag.strip_prefix("pend-reject-")?).map(Review::RejectAfterMinutes)
}

/// Whether someone born that day may not buy yet.
pub(crate) fn is_under_age(born: Date, today: Date) -> bool {
    // A birthday on 29 February is reached on 1 March in other years: no earlier than it is due.
    let eighteenth = Date::new(born.year().saturating_add(ADULT_YEARS), born.month(), born.day())
        .or_else(|_| Date::new(born.year().saturating_add(ADULT_YEARS), 3, 1));
    eighteenth.is_ok_and(|day| today < day)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn shopper<'a>(email: &'a str, country: &'a Country) -> Shopper<'a> {
        Shopper {
            email: Some(email),
            country,
            date_of_birth: None,
            today: date(2026, 11, 23),
            otp: None,
            step_up: None,
            reviews: Reviews::On,
        }
    }

    fn check(email: &str, country: &Country, expected: &str) {
        let decision = match decide(&shopper(email, country)) {
            Decision::Approved(Approved { review, dispute }) => {
                let review = match review {
                    Review::None => String::new(),
                    Review::AcceptAfterMinutes(minutes) => format!(" accept {minutes}"),
                    Review::RejectAfterMinutes(minutes) => format!(" reject {minutes}"),
                };
                format!("approved{review}{}", dispute.map(|d| format!(" {d}")).unwrap_or_default())
            }
            Decision::Denied { reason } => format!("denied {reason}"),
            Decision::NotIdentified => "not identified".to_owned(),
            Decision::StepUp(step) => step.tag().to_owned(),
        };
        assert_eq!(decision, expected, "{email}");
    }

    #[test]
    fn the_published_addresses_steer_the_decision() {
        use Country::{DK, FR, GB, SE, US};
        check("customer@email.se", &SE, "approved");
        check("", &SE, "approved");
        check("customer+se@klarna.com", &SE, "approved");
        check("Customer+Denied@Email.SE ", &SE, "denied denied");
        check("customer+new_user@email.se", &SE, "approved");
        check("someone+require_signup@example.com", &SE, "approved");
        check("someone+red@example.com", &SE, "denied pre_screening");
        check("c+pend-accept-05@email.us", &US, "approved accept 5");
        check("c+pend-reject-00@email.uk", &GB, "approved reject 0");
        check("c+pend-accept-05@email.se", &SE, "approved");
        check("c+pend-accept-5@email.us", &US, "approved");
        check("c+pend-accept-x5@email.us", &US, "approved");
        check("c+disputed-goods_not_received@email.se", &SE, "approved goods_not_received");
        check("customer+se+dispute_high_risk@klarna.com", &SE, "approved high_risk");
        check(
            "customer+return_not_possible@email.at",
            &Country::AT,
            "approved return_not_possible",
        );
        check("customer+denied+auth_id_scan@email.fr", &FR, "auth_id_scan");
        check("customer+denied+auth_monthio@email.dk", &DK, "auth_monthio");
        check("customer+reject_reason_high_risk@email.us", &US, "denied high_risk");
        check(
            "email+reject_reason_LOW_CREDIT_RATING@email.com",
            &Country::CA,
            "denied low_credit_rating",
        );
        check("c+reject_reason_nonsense@email.us", &US, "denied other");
    }

    #[test]
    fn a_wrong_code_is_no_refusal() {
        let country = Country::SE;
        let wrong = Shopper { otp: Some("999999"), ..shopper("customer@email.se", &country) };
        assert_eq!(decide(&wrong), Decision::NotIdentified);
        let right = Shopper { otp: Some("123456"), ..wrong };
        assert!(matches!(decide(&right), Decision::Approved(_)));
    }

    #[test]
    fn an_extra_step_decides_when_it_is_asked_for() {
        let country = Country::FR;
        let asked = shopper("customer+denied+auth_id_scan@email.fr", &country);
        let passed = Shopper { step_up: Some(StepUpOutcome::Passed), ..asked };
        assert!(matches!(decide(&passed), Decision::Approved(_)));
        let failed = Shopper { step_up: Some(StepUpOutcome::Failed), ..asked };
        assert!(matches!(decide(&failed), Decision::Denied { .. }));
    }

    #[test]
    fn nobody_under_eighteen_buys() {
        let country = Country::DE;
        let born = |day| Shopper { date_of_birth: Some(day), ..shopper("a@b.de", &country) };
        assert!(matches!(decide(&born(date(2008, 11, 23))), Decision::Approved(_)));
        assert_eq!(
            decide(&born(date(2008, 11, 24))),
            Decision::Denied { reason: "under_age".to_owned() }
        );
        assert!(is_under_age(date(2008, 2, 29), date(2026, 2, 28)));
        assert!(!is_under_age(date(2008, 2, 29), date(2026, 3, 1)));
    }

    #[test]
    fn reviews_need_the_account_to_have_them() {
        let country = Country::US;
        let off =
            Shopper { reviews: Reviews::Off, ..shopper("c+pend-reject-10@email.us", &country) };
        assert_eq!(
            decide(&off),
            Decision::Approved(Approved { review: Review::None, dispute: None })
        );
    }

    #[test]
    fn the_address_says_how_the_flow_begins() {
        assert_eq!(account("customer+new_user@email.gb"), Account::New);
        assert!(!shows_form(Some("a+red@b.se")));
        assert!(shows_form(None));
    }
}
