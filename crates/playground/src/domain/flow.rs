//! The purchase flow: what the shopper is asked, in which order, and how it may end.
//!
//! A flow is begun by `authorize`, `reauthorize` or `finalize` in the merchant's page. It is a plain
//! state machine: each command is allowed in some steps and refused in all others, and what the
//! shopper typed wrongly is a [`Rejection::Invalid`] that changes nothing. When the shopper has done
//! all there is to do, a command answers [`Next::Decide`]: the decision itself, the token and the
//! callback are made elsewhere, and come back through [`Flow::settle`].
//!
//! It does not know which e-mail addresses steer what: that comes in as an [`Assessment`].

pub(crate) mod delivery;
pub(crate) mod offer;

use jiff::civil::Date;
use klarna_types::{Address, Country, HostedSessionId};
use serde::{Deserialize, Serialize};

use crate::domain::customer_token::Reuse;
use crate::domain::decision::{StepUp, StepUpOutcome, WRONG_CODE, is_code, is_under_age};
use crate::domain::flow::delivery::{Delivery, PageSays};
use crate::domain::flow::offer::{Offer, OfferKind, fit_for, offers};

/// The card security code that never passes.
const WRONG_CARD_CODE: &str = "999";
/// The bank user whose sign-in fails.
const FAILING_BANK_USER: &str = "FAIL";
/// The one user whom the Finnish bank lets in.
const FINNISH_BANK_USER: &str = "DEMOUSER4";

/// Which call in the merchant's page began the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// `authorize`.
    Authorize,
    /// `reauthorize`: the order changed after an approval.
    Reauthorize,
    /// `finalize`: the second step of an approval.
    Finalize,
}

/// Whether an approval is final at once, or waits for `finalize` where the method has a second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finalizing {
    /// At once.
    Automatic,
    /// `auto_finalize: false`.
    Separate,
    /// Express checkout in several steps: `finalize` follows whatever the method is.
    Always,
}

/// That the flow is one of Express checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Express {
    /// Whether the page is told where the goods go.
    pub(crate) collects_address: bool,
}

/// Where the shopper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Asked for a phone number or an e-mail address.
    Identify,
    /// Asked for the one-time code.
    Code,
    /// Asked who they are, as a new customer.
    SignUp,
    /// Asked for one more proof of identity, a [`StepUp`].
    Proof,
    /// Asked where the goods go.
    Address,
    /// Asked how they are sent.
    Shipping,
    /// Asked how to pay.
    Choose,
    /// Asked to confirm.
    Review,
    /// Asked to approve at their bank.
    PayAtBank,
    /// Told that it was approved.
    Approved,
    /// Told that it was declined.
    Declined,
    /// Gone without an approval.
    Left,
}

impl Step {
    #[cfg(test)]
    const ALL: [Self; 12] = [
        Self::Identify,
        Self::Code,
        Self::SignUp,
        Self::Proof,
        Self::Address,
        Self::Shipping,
        Self::Choose,
        Self::Review,
        Self::PayAtBank,
        Self::Approved,
        Self::Declined,
        Self::Left,
    ];

    /// Whether nothing follows.
    pub(crate) fn is_end(self) -> bool {
        matches!(self, Self::Approved | Self::Declined | Self::Left)
    }
}

/// What the shopper gave to be recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contact {
    /// An e-mail address, in lower case.
    Email(String),
    /// A phone number, digits with a leading plus if there was one.
    Phone(String),
}

impl Contact {
    /// Reads either.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains('@') {
            let email = text.to_lowercase();
            let (local, domain) = email.split_once('@')?;
            let plausible = !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains('@')
                && !email.contains(char::is_whitespace);
            return plausible.then_some(Self::Email(email));
        }
        let allowed =
            |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
        let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let plausible = text.chars().all(allowed)
            && (7..=15).contains(&digits)
            && !number.get(1..).unwrap_or_default().contains('+');
        plausible.then_some(Self::Phone(number))
    }

    /// As the shopper wrote it, more or less.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// Enough of it to recognise, not enough to learn.
    pub(crate) fn masked(&self) -> String {
        match self {
            Self::Email(email) => {
                let (local, domain) = email.split_once('@').unwrap_or((email, ""));
                format!("{}•••@{domain}", local.chars().take(1).collect::<String>())
            }
            Self::Phone(number) => {
                let shown: String =
                    number.chars().skip(number.chars().count().saturating_sub(3)).collect();
                format!("••• {shown}")
            }
        }
    }
}

/// What is known of a shopper once they have said who they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Assessment {
    /// Whether they are new and must sign up.
    pub(crate) sign_up: bool,
    /// One more proof that is asked for.
    pub(crate) step_up: Option<StepUp>,
    /// Whether the decision is certain to be a refusal, so that nothing more needs to be asked.
    pub(crate) hopeless: bool,
}

/// What a new customer tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    /// First name.
    pub(crate) given_name: String,
    /// Last name.
    pub(crate) family_name: String,
    /// `YYYY-MM-DD`.
    pub(crate) date_of_birth: String,
    /// Street and number.
    pub(crate) street_address: String,
    /// Postal code.
    pub(crate) postal_code: String,
    /// City.
    pub(crate) city: String,
}

/// What is bought, as far as ways to pay depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Purchase {
    /// The country whose ways to pay apply.
    pub(crate) country: Country,
    /// How much, in minor units.
    pub(crate) amount: i64,
    /// Whether the method is going to be charged again.
    #[serde(default)]
    pub(crate) reuse: Reuse,
}

/// What the merchant's page is told at the end. Members that do not apply are absent, never null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Whether the shopper may pay so.
    pub(crate) approved: bool,
    /// Whether the page should go on offering it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) show_form: Option<bool>,
    /// What the order is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_token: Option<String>,
    /// Whether `finalize` must follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finalize_required: Option<bool>,
    /// What can be corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<AnswerError>,
}

/// What can be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerError {
    /// Dotted paths into the data.
    pub(crate) invalid_fields: Vec<String>,
}

impl Answer {
    /// Not approved; whether the page goes on offering it depends on the kind of flow.
    fn refused(show_form: bool) -> Self {
        Self {
            approved: false,
            show_form: Some(show_form),
            authorization_token: None,
            finalize_required: None,
            error: None,
        }
    }

    /// Without the member that `reauthorize` does not have.
    fn of_kind(mut self, kind: Kind) -> Self {
        if kind == Kind::Reauthorize {
            self.show_form = None;
            self.finalize_required = None;
        }
        self
    }
}

/// Why a command did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// The flow is somewhere else, or over.
    #[error("not possible in the step {0:?}")]
    WrongStep(Step),
    /// What the shopper gave cannot be taken.
    #[error("{field}: {problem:?}")]
    Invalid {
        /// Of which field of the form.
        field: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What can be wrong with what the shopper gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Problem {
    /// Neither a phone number nor an e-mail address.
    Contact,
    /// Not six digits.
    Code,
    /// Six digits, but not the ones.
    WrongCode,
    /// Nothing.
    Required,
    /// Not a day.
    BirthDate,
    /// Not three digits.
    CardCode,
    /// An address that cannot be so.
    Address,
    /// The merchant does not deliver there, or so.
    NotDelivered,
    /// Not on offer.
    UnknownOffer,
    /// The order changed while the shopper was looking at it.
    OrderChanged,
}

/// What follows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The shopper is shown the flow's step.
    Show,
    /// The shopper has done their part: decide, then [`Flow::settle`].
    Decide,
}

/// How a flow begins.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    /// Which call began it.
    pub(crate) kind: Kind,
    /// The categories of the widget; none means all.
    pub(crate) categories: Vec<String>,
    /// Whether `finalize` may follow.
    pub(crate) finalizing: Finalizing,
    /// What is bought.
    pub(crate) purchase: Purchase,
    /// What the merchant told of the shopper, to fill in the first field.
    pub(crate) known_contact: Option<String>,
    /// The last approved flow of the session.
    pub(crate) earlier: Option<Flow>,
    /// What is chosen at first.
    pub(crate) preferred: Option<OfferKind>,
    /// Whether it is Express checkout.
    pub(crate) express: Option<Express>,
    /// Whether the shopper is asked where the goods go, and for which countries.
    pub(crate) delivery: Option<Delivery>,
}

/// What a flow runs for besides its session: the page on which it runs, when it is one of Klarna's own, or a payment
/// request. What the flow leads to then happens to that as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "page", content = "id", rename_all = "snake_case")]
pub(crate) enum Host {
    /// A hosted payment page.
    HostedPage(HostedSessionId),
    /// A payment request of the Web SDK. Its page is a merchant's, but the request follows the flow.
    PaymentRequest(String),
}

/// A purchase flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// Which call began it.
    pub(crate) kind: Kind,
    /// The categories of the widget; none means all.
    pub(crate) categories: Vec<String>,
    /// Whether `finalize` may follow.
    pub(crate) finalizing: Finalizing,
    /// Where the shopper is.
    pub(crate) step: Step,
    /// What the shopper was last shown the price of.
    pub(crate) purchase: Purchase,
    /// What fills in the first field.
    pub(crate) known_contact: Option<String>,
    /// Who the shopper says they are.
    pub(crate) contact: Option<Contact>,
    /// What is known of them.
    pub(crate) assessment: Assessment,
    /// How the extra proof went.
    pub(crate) step_up_outcome: Option<StepUpOutcome>,
    /// What they told at sign-up.
    pub(crate) profile: Option<Profile>,
    /// How they may pay.
    pub(crate) offers: Vec<Offer>,
    /// The way they chose.
    pub(crate) chosen: Option<String>,
    /// What the merchant's page is told.
    pub(crate) answer: Option<Answer>,
    /// Whether the shopper was asked anything. If not, the end is not worth a page either.
    pub(crate) was_shown: bool,
    /// What follows it, if something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<Host>,
    /// What is chosen at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preferred: Option<OfferKind>,
    /// Whether it is Express checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) express: Option<Express>,
    /// Where the goods go, if that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delivery: Option<Delivery>,
}

impl Flow {
    /// Begins a flow. A shopper who approved before in this session is not asked again who they
    /// are, and nothing at all if the order did not become dearer.
    pub(crate) fn begin(beginning: Beginning, today: Date) -> (Self, Next) {
        let Beginning {
            kind,
            categories,
            finalizing,
            purchase,
            known_contact,
            earlier,
            preferred,
            express,
            delivery,
        } = beginning;
        let mut flow = Self {
            kind,
            categories,
            finalizing,
            step: Step::Identify,
            purchase,
            known_contact,
            contact: None,
            assessment: Assessment::default(),
            step_up_outcome: None,
            profile: None,
            offers: Vec::new(),
            chosen: None,
            answer: None,
            was_shown: true,
            host: None,
            preferred,
            express,
            delivery,
        };
        if kind == Kind::Authorize {
            return (flow, Next::Show);
        }
        let Some(earlier) = earlier else {
            // There is nothing to finalize without an approval; the decision says so.
            flow.was_shown = kind != Kind::Finalize;
            return if flow.was_shown { (flow, Next::Show) } else { (flow, Next::Decide) };
        };
        let dearer = flow.purchase.amount > earlier.purchase.amount;
        flow.contact = earlier.contact;
        flow.step_up_outcome = earlier.step_up_outcome;
        flow.profile = earlier.profile;
        flow.express = earlier.express;
        flow.delivery = earlier.delivery;
        flow.offer_anew(today, earlier.chosen.as_deref());
        let pays_at_bank = flow.chosen_offer().is_some_and(|offer| offer.kind == OfferKind::Bank);
        let awaits_bank = pays_at_bank
            && earlier.answer.is_some_and(|answer| answer.finalize_required == Some(true));
        let next = match kind {
            Kind::Finalize if awaits_bank => {
                flow.step = Step::PayAtBank;
                Next::Show
            }
            Kind::Reauthorize if dearer => {
                flow.step = Step::Review;
                Next::Show
            }
            Kind::Authorize | Kind::Reauthorize | Kind::Finalize => Next::Decide,
        };
        flow.was_shown = next == Next::Show;
        (flow, next)
    }

    /// The shopper says who they are; `assess` tells what is known of them.
    pub(crate) fn identify(
        &mut self,
        text: &str,
        assess: impl FnOnce(&Contact) -> Assessment,
    ) -> Result<Next, Rejection> {
        self.must_be_in(Step::Identify)?;
        let contact = Contact::parse(text).ok_or(invalid("contact", Problem::Contact))?;
        self.assessment = assess(&contact);
        self.contact = Some(contact);
        self.step = Step::Code;
        Ok(Next::Show)
    }

    /// The shopper signed in with Klarna before the purchase: nobody asks who they are.
    pub(crate) fn recognise(
        &mut self,
        contact: Contact,
        assess: impl FnOnce(&Contact) -> Assessment,
        today: Date,
    ) -> Result<Next, Rejection> {
        self.must_be_in(Step::Identify)?;
        // Whoever signed in has an account.
        self.assessment = Assessment { sign_up: false, ..assess(&contact) };
        self.contact = Some(contact);
        Ok(self.after_identification(today))
    }

    /// The shopper types the one-time code.
    pub(crate) fn enter_code(&mut self, code: &str, today: Date) -> Result<Next, Rejection> {
        self.must_be_in(Step::Code)?;
        check_code("code", code)?;
        if self.assessment.sign_up {
            self.step = Step::SignUp;
            return Ok(Next::Show);
        }
        Ok(self.after_identification(today))
    }

    /// The shopper goes back: to another contact, or to another way to pay.
    pub(crate) fn back(&mut self) -> Result<Next, Rejection> {
        self.step = match self.step {
            Step::Code => Step::Identify,
            Step::Shipping => Step::Address,
            Step::Review => Step::Choose,
            other => return Err(Rejection::WrongStep(other)),
        };
        Ok(Next::Show)
    }

    /// A new customer tells who they are.
    pub(crate) fn sign_up(&mut self, profile: Profile, today: Date) -> Result<Next, Rejection> {
        self.must_be_in(Step::SignUp)?;
        for (field, value) in [
            ("given_name", &profile.given_name),
            ("family_name", &profile.family_name),
            ("street_address", &profile.street_address),
            ("postal_code", &profile.postal_code),
            ("city", &profile.city),
        ] {
            if value.trim().chars().count() < 2 {
                return Err(invalid(field, Problem::Required));
            }
        }
        let born = profile
            .date_of_birth
            .parse::<Date>()
            .ok()
            .filter(|born| *born < today)
            .ok_or(invalid("date_of_birth", Problem::BirthDate))?;
        self.profile = Some(profile);
        self.assessment.hopeless |= is_under_age(born, today);
        Ok(self.after_identification(today))
    }

    /// The shopper answers the step-up, or their bank.
    pub(crate) fn step_up(&mut self, answer: &str, today: Date) -> Result<Next, Rejection> {
        match self.step {
            Step::Proof => {}
            Step::PayAtBank => {
                if bank_lets_in(answer)? {
                    return Ok(Next::Decide);
                }
                // The bank refused, not Klarna: the shopper may try again another way.
                self.end(Step::Left, Answer::refused(self.kind == Kind::Authorize));
                return Ok(Next::Show);
            }
            other => return Err(Rejection::WrongStep(other)),
        }
        let passed = match self.assessment.step_up {
            None => true,
            Some(StepUp::IdScan) => match answer {
                "pass" => true,
                "fail" => false,
                _ => return Err(invalid("answer", Problem::Required)),
            },
            Some(StepUp::BankLogin | StepUp::Monthio) => bank_lets_in(answer)?,
            Some(StepUp::BankIdFi) => {
                bank_lets_in(answer)? && answer.trim().eq_ignore_ascii_case(FINNISH_BANK_USER)
            }
            Some(StepUp::CvvEntry) => {
                let code = answer.trim();
                if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(invalid("answer", Problem::CardCode));
                }
                code != WRONG_CARD_CODE
            }
            Some(StepUp::OtpEmail | StepUp::OtpPhone) => {
                check_code("answer", answer)?;
                true
            }
        };
        if passed {
            self.step_up_outcome = Some(StepUpOutcome::Passed);
            return Ok(self.after_identification(today));
        }
        self.step_up_outcome = Some(StepUpOutcome::Failed);
        Ok(Next::Decide)
    }

    /// The shopper says where the goods go. `problem` is the path of what is wrong with the address by its
    /// content, `purchase` what the merchant wants by what its page says.
    pub(crate) fn deliver_to(
        &mut self,
        address: Address,
        problem: Option<&str>,
        says: PageSays,
        purchase: Purchase,
        today: Date,
    ) -> Result<Next, Rejection> {
        self.must_be_in(Step::Address)?;
        let delivery = self.delivery.get_or_insert_default();
        delivery.take_address(address, problem, says)?;
        let has_ways = !delivery.options.is_empty();
        self.purchase = purchase;
        if has_ways {
            self.step = Step::Shipping;
        } else {
            self.go_and_choose(today);
        }
        Ok(Next::Show)
    }

    /// The shopper chooses how the goods are sent.
    pub(crate) fn ship(
        &mut self,
        option: &str,
        says: &PageSays,
        purchase: Purchase,
        today: Date,
    ) -> Result<Next, Rejection> {
        self.must_be_in(Step::Shipping)?;
        self.delivery.get_or_insert_default().take_option(option, says)?;
        self.purchase = purchase;
        self.go_and_choose(today);
        Ok(Next::Show)
    }

    /// The shopper chooses how to pay.
    pub(crate) fn choose(&mut self, offer: &str) -> Result<Next, Rejection> {
        self.must_be_in(Step::Choose)?;
        if !self.offers.iter().any(|known| known.id == offer) {
            return Err(invalid("offer", Problem::UnknownOffer));
        }
        self.chosen = Some(offer.to_owned());
        self.step = Step::Review;
        Ok(Next::Show)
    }

    /// The shopper confirms what they see; `purchase` is what the merchant wants by now.
    pub(crate) fn confirm(&mut self, purchase: &Purchase, today: Date) -> Result<Next, Rejection> {
        self.must_be_in(Step::Review)?;
        if *purchase != self.purchase {
            self.purchase = purchase.clone();
            let chosen = self.chosen.take();
            self.offer_anew(today, chosen.as_deref());
            return Err(invalid("order", Problem::OrderChanged));
        }
        let Some(offer) = self.chosen_offer() else {
            self.step = Step::Choose;
            return Ok(Next::Show);
        };
        if offer.kind == OfferKind::Bank && self.finalizing == Finalizing::Automatic {
            self.step = Step::PayAtBank;
            return Ok(Next::Show);
        }
        Ok(Next::Decide)
    }

    /// The decision needs one more proof first.
    pub(crate) fn ask(&mut self, step_up: StepUp) {
        self.assessment.step_up = Some(step_up);
        self.step_up_outcome = None;
        self.was_shown = true;
        self.step = Step::Proof;
    }

    /// The decision was made.
    pub(crate) fn settle(&mut self, answer: Answer) {
        let step = match (answer.approved, answer.show_form) {
            (true, _) => Step::Approved,
            (false, Some(true)) => Step::Left,
            // Of a reauthorization one only learns that it was not approved; the shopper is told
            // so unless there is something to correct.
            (false, _) if answer.error.is_some() => Step::Left,
            (false, _) => Step::Declined,
        };
        self.end(step, answer);
    }

    /// The shopper leaves, or their window is gone. What was decided stays decided.
    pub(crate) fn leave(&mut self) {
        if !self.step.is_end() {
            self.end(Step::Left, Answer::refused(self.kind != Kind::Finalize));
        }
    }

    /// The way to pay that the shopper chose.
    pub(crate) fn chosen_offer(&self) -> Option<&Offer> {
        let chosen = self.chosen.as_deref()?;
        self.offers.iter().find(|offer| offer.id == chosen)
    }

    fn after_identification(&mut self, today: Date) -> Next {
        if self.assessment.step_up.is_some() && self.step_up_outcome.is_none() {
            self.step = Step::Proof;
            return Next::Show;
        }
        if self.assessment.hopeless {
            return Next::Decide;
        }
        if self.delivery.is_some() {
            self.step = Step::Address;
        } else {
            self.go_and_choose(today);
        }
        Next::Show
    }

    fn go_and_choose(&mut self, today: Date) {
        self.offer_anew(today, None);
        self.step = Step::Choose;
    }

    /// Prices everything anew, keeping the choice if it still exists.
    fn offer_anew(&mut self, today: Date, chosen: Option<&str>) {
        self.offers = fit_for(
            self.purchase.reuse,
            &self.purchase.country,
            offers(&self.purchase.country, self.purchase.amount, &self.categories, today),
        );
        let kept = self.offers.iter().find(|offer| Some(offer.id.as_str()) == chosen);
        let preferred = || self.offers.iter().find(|offer| Some(offer.kind) == self.preferred);
        let chosen = kept.or_else(preferred).or_else(|| self.offers.first());
        self.chosen = chosen.map(|offer| offer.id.clone());
    }

    fn end(&mut self, step: Step, answer: Answer) {
        self.step = step;
        self.answer = Some(answer.of_kind(self.kind));
    }

    fn must_be_in(&self, step: Step) -> Result<(), Rejection> {
        if self.step == step { Ok(()) } else { Err(Rejection::WrongStep(self.step)) }
    }
}

fn invalid(field: &'static str, problem: Problem) -> Rejection {
    Rejection::Invalid { field, problem }
}

fn check_code(field: &'static str, code: &str) -> Result<(), Rejection> {
    if !is_code(code) {
        return Err(invalid(field, Problem::Code));
    }
    if code.trim() == WRONG_CODE {
        return Err(invalid(field, Problem::WrongCode));
    }
    Ok(())
}

fn bank_lets_in(user: &str) -> Result<bool, Rejection> {
    let user = user.trim();
    if user.is_empty() {
        return Err(invalid("answer", Problem::Required));
    }
    Ok(!user.eq_ignore_ascii_case(FAILING_BANK_USER))
}

#[cfg(test)]
#[path = "flow/tests.rs"]
mod tests;
