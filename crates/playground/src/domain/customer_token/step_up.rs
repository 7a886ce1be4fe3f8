//! Recovery of a refused charge while the shopper is there: a session that names the refusal and the
//! token, in which the shopper chooses another way to pay. It takes the place of the one that failed.

use klarna_types::payments::SessionBody;
use klarna_types::problem::{Problem, Rule};
use klarna_types::{Country, CustomerTokenId, MerchantId};

use super::{CustomerToken, TokenStatus};

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// How long a session may be opened with it. Klarna publishes no end; this is a session's own life.
const LIFE_MS: i64 = 48 * HOUR_MS;

/// How long it is kept: a session that was opened at the last moment has 48 hours and one for the order.
pub(crate) const KEPT_MS: i64 = LIFE_MS + 48 * HOUR_MS + HOUR_MS;

/// A refused charge that the shopper may recover, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepUp {
    /// What the refusal said (`step_up_id`).
    pub(crate) id: String,
    /// The token that was charged.
    pub(crate) token_id: CustomerTokenId,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// When the charge was refused.
    pub(crate) created_at_ms: i64,
    /// Whether a purchase has used it.
    pub(crate) use_: Use,
}

/// Whether a purchase has used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Not yet.
    Unused,
    /// One has.
    Used,
}

/// What a new session says about a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The refusal.
    pub(crate) step_up_id: String,
    /// The token.
    pub(crate) token_id: Option<CustomerTokenId>,
    country: Option<Country>,
}

impl Asked {
    /// What a session's data ask for, if anything.
    pub(crate) fn by(body: &SessionBody) -> Option<Self> {
        let customer = body.customer.as_ref();
        Some(Self {
            step_up_id: body.step_up_id.clone()?,
            token_id: customer.and_then(|customer| customer.customer_token.clone()),
            country: body.purchase_country.clone(),
        })
    }

    /// What is wrong with it, in the light of what is known under the two ids it names.
    pub(crate) fn problems(
        &self,
        step_up: Option<&StepUp>,
        token: Option<&CustomerToken>,
        now_ms: i64,
    ) -> Vec<Problem> {
        let form = |path: &str, expected| Problem::new(path, Rule::Form { expected });
        if self.token_id.is_none() {
            return vec![Problem::new("customer.customer_token", Rule::Missing)];
        }
        let Some(token) = token.filter(|token| token.status != TokenStatus::Cancelled) else {
            let expected = "a customer token of this account that is not cancelled";
            return vec![form("customer.customer_token", expected)];
        };
        let mut problems = Vec::new();
        let is_open = step_up.is_some_and(|step_up| {
            step_up.token_id == token.token_id
                && step_up.use_ == Use::Unused
                && now_ms < step_up.created_at_ms.saturating_add(LIFE_MS)
        });
        if !is_open {
            let expected = "the step_up_id of a charge of this token, refused in the last 48 hours and not \
                            recovered since";
            problems.push(form("step_up_id", expected));
        }
        if self.country.as_ref().is_some_and(|country| *country != token.country) {
            problems.push(form("purchase_country", "the country of the customer token"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use klarna_types::Customer;

    use super::super::tests::token;
    use super::*;

    #[test]
    fn only_an_open_refusal_of_this_token_can_be_recovered() {
        let step_up = StepUp {
            id: "s".to_owned(),
            token_id: token().token_id,
            merchant_id: "K1".into(),
            created_at_ms: 1_000,
            use_: Use::Unused,
        };
        let body = |token_id: &str| {
            SessionBody::new()
                .step_up_id("s")
                .purchase_country(Country::SE)
                .customer(Customer::new().customer_token(token_id))
        };
        let check = |body: &SessionBody, step_up, token, now_ms, expected: &str| {
            let problems = Asked::by(body).unwrap().problems(step_up, token, now_ms);
            let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(paths.join(" "), expected);
        };
        let (here, active) = (body("t"), token());
        check(&here, Some(&step_up), Some(&active), 1_000, "");
        check(&here, Some(&step_up), Some(&active), 999 + LIFE_MS, "");
        check(&here, Some(&step_up), Some(&active), 1_000 + LIFE_MS, "step_up_id");
        check(&here, None, Some(&active), 1_000, "step_up_id");
        check(&here, Some(&step_up), None, 1_000, "customer.customer_token");
        let used = StepUp { use_: Use::Used, ..step_up.clone() };
        check(&here, Some(&used), Some(&active), 1_000, "step_up_id");
        let others = StepUp { token_id: "u".into(), ..step_up.clone() };
        check(&here, Some(&others), Some(&active), 1_000, "step_up_id");
        let cancelled = CustomerToken { status: TokenStatus::Cancelled, ..token() };
        check(&here, Some(&step_up), Some(&cancelled), 1_000, "customer.customer_token");
        let abroad = here.clone().purchase_country(Country::NO);
        check(&abroad, Some(&step_up), Some(&active), 1_000, "purchase_country");
        let nameless = SessionBody::new().step_up_id("s");
        check(&nameless, Some(&step_up), Some(&active), 1_000, "customer.customer_token");
        assert_eq!(Asked::by(&SessionBody::new()), None);
    }
}
