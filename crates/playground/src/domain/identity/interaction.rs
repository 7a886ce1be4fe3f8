//! One shopper who is signing in: who are you, the code that was sent to you, what do you share.

use klarna_types::Locale;
use serde::{Deserialize, Serialize};

use crate::domain::decision::{WRONG_CODE, is_code};
use crate::domain::flow::Contact;
use crate::domain::identity::account::Account;
use crate::domain::identity::authorization::AuthorizationRequest;
use crate::domain::identity::scope::{Scopes, Share};

/// How long a shopper may take.
pub(crate) const LIFE_MS: i64 = 30 * 60 * 1_000;

/// How many wrong codes are borne.
const TRIES: u8 = 5;

/// What the shopper is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Who they are.
    Identify,
    /// The code that was sent to them.
    Code,
    /// What they share.
    Consent,
    /// Nothing: they have been sent back.
    Done,
}

/// What is wrong with what they typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Problem {
    /// Neither an address nor a number.
    Contact,
    /// Not six digits, or the wrong ones.
    Code,
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The page is an older one: another step has been reached.
    WrongStep,
    /// Too many wrong codes.
    TooManyTries,
}

/// A sign-in that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interaction {
    /// What the client asked for.
    pub(crate) request: AuthorizationRequest,
    /// What is asked now.
    pub(crate) step: Step,
    /// What was wrong with the last answer.
    pub(crate) problem: Option<Problem>,
    contact: Option<Contact>,
    tries: u8,
    /// Who it is, and when they proved it.
    pub(crate) signed_in: Option<(Account, i64)>,
}

impl Interaction {
    /// Begins with whoever is signed in already, or with nobody.
    pub(crate) fn begin(request: AuthorizationRequest, signed_in: Option<(Account, i64)>) -> Self {
        let step = if signed_in.is_some() { Step::Consent } else { Step::Identify };
        Self { request, step, problem: None, contact: None, tries: 0, signed_in }
    }

    /// Where the code was sent, as far as it is shown.
    pub(crate) fn masked(&self) -> String {
        self.contact.as_ref().map(Contact::masked).unwrap_or_default()
    }

    /// The shopper says who they are.
    pub(crate) fn identify(&mut self, text: &str) -> Result<(), Rejection> {
        self.must_be_in(Step::Identify)?;
        match Contact::parse(text) {
            None => self.problem = Some(Problem::Contact),
            Some(contact) => {
                self.contact = Some(contact);
                self.problem = None;
                self.step = Step::Code;
            }
        }
        Ok(())
    }

    /// The shopper types the code; `key` makes the subject of their account. Whether something has to be agreed to
    /// is asked of the caller, who knows what was agreed before.
    pub(crate) fn enter_code(
        &mut self,
        code: &str,
        key: impl FnOnce(&str) -> String,
        now_ms: i64,
    ) -> Result<(), Rejection> {
        self.must_be_in(Step::Code)?;
        if !is_code(code) || code.trim() == WRONG_CODE {
            self.tries += 1;
            if self.tries >= TRIES {
                self.step = Step::Done;
                return Err(Rejection::TooManyTries);
            }
            self.problem = Some(Problem::Code);
            return Ok(());
        }
        let locale: Option<&Locale> = self.request.locale.as_ref();
        let contact = self.contact.as_ref().ok_or(Rejection::WrongStep)?;
        let account = Account::of(contact, locale, key).ok_or(Rejection::WrongStep)?;
        self.signed_in = Some((account, now_ms));
        self.problem = None;
        self.step = Step::Consent;
        Ok(())
    }

    /// The shopper is somebody else.
    pub(crate) fn start_again(&mut self) -> Result<(), Rejection> {
        if self.step == Step::Done {
            return Err(Rejection::WrongStep);
        }
        self.step = Step::Identify;
        self.problem = None;
        self.contact = None;
        self.signed_in = None;
        Ok(())
    }

    /// The shopper agrees to everything but what they keep. What is granted, and what of it is kept.
    pub(crate) fn agree(&mut self, kept: &[Share]) -> Result<(Scopes, Vec<Share>), Rejection> {
        self.must_be_in(Step::Consent)?;
        self.step = Step::Done;
        let kept: Vec<Share> = kept.iter().copied().filter(|share| share.is_optional()).collect();
        Ok((self.request.scopes.without(&kept), kept))
    }

    /// The shopper does not want to.
    pub(crate) fn decline(&mut self) -> Result<(), Rejection> {
        if self.step == Step::Done {
            return Err(Rejection::WrongStep);
        }
        self.step = Step::Done;
        Ok(())
    }

    fn must_be_in(&self, step: Step) -> Result<(), Rejection> {
        if self.step == step { Ok(()) } else { Err(Rejection::WrongStep) }
    }
}
