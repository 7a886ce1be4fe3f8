//! Which payment method categories a session offers, and what they are called.

use klarna_types::customer::CustomerType;
use klarna_types::payments::{
    AssetUrls, PaymentMethodCategory, PaymentMethodCategoryIdentifier, SessionBody,
};
use klarna_types::{Country, Locale};

use crate::domain::category_names;
use crate::domain::merchant::{Categories, Merchant};
use crate::domain::session::{Session, effective_country};

impl Session {
    /// What the widget may show. Nothing for a merchant that is gone.
    pub(crate) fn categories(&self, merchant: Option<&Merchant>) -> Vec<PaymentMethodCategory> {
        merchant.map_or_else(Vec::new, |merchant| of(&self.body, merchant.settings.categories))
    }
}

/// The categories of a session with these data.
pub(crate) fn of(body: &SessionBody, offered: Categories) -> Vec<PaymentMethodCategory> {
    use PaymentMethodCategoryIdentifier::{Klarna, PayLater, PayNow, PayOverTime};
    let identifiers = match offered {
        Categories::Nothing => Vec::new(),
        Categories::Klarna => vec![Klarna],
        Categories::Legacy => {
            let is_company = body.customer.as_ref().and_then(|customer| customer.kind.as_ref())
                == Some(&CustomerType::Organization);
            let country = effective_country(body);
            let mut identifiers = vec![PayLater];
            if !is_company && country.is_some_and(has_pay_over_time) {
                identifiers.push(PayOverTime);
            }
            if !is_company && country.is_some_and(has_pay_now) {
                identifiers.push(PayNow);
            }
            identifiers
        }
    };
    let language = body.locale.as_ref().map_or("en", Locale::language);
    let country = effective_country(body);
    identifiers
        .into_iter()
        .map(|identifier| PaymentMethodCategory {
            name: Some(category_names::name(&identifier, country, language).to_owned()),
            identifier,
            asset_urls: None,
        })
        .collect()
}

/// Adds the picture. It comes from the playground itself, as a shop on a machine without a network
/// must be able to show it.
pub(crate) fn with_badge(
    mut categories: Vec<PaymentMethodCategory>,
    url: &str,
) -> Vec<PaymentMethodCategory> {
    for category in &mut categories {
        category.asset_urls = Some(AssetUrls::new().descriptive(url).standard(url));
    }
    categories
}

/// Where a purchase can be paid in parts.
pub(crate) fn has_pay_over_time(country: &Country) -> bool {
    use Country::{AT, DE, FI, GB, NO, SE, US};
    matches!(country, US | GB | DE | AT | SE | NO | FI)
}

/// Where a purchase can be paid from a bank account.
pub(crate) fn has_pay_now(country: &Country) -> bool {
    use Country::{AT, BE, CH, DE, FI, NL, SE};
    matches!(country, SE | DE | AT | NL | BE | FI | CH)
}

#[cfg(test)]
mod tests {
    use klarna_types::Customer;

    use super::*;

    fn check(country: Country, offered: Categories, expected: &[&str]) {
        let body = SessionBody::new().purchase_country(country);
        let found = of(&body, offered);
        let found: Vec<&str> = found.iter().map(|category| category.identifier.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn categories_depend_on_the_account_and_the_market() {
        check(Country::SE, Categories::Klarna, &["klarna"]);
        check(Country::SE, Categories::Nothing, &[]);
        check(Country::SE, Categories::Legacy, &["pay_later", "pay_over_time", "pay_now"]);
        check(Country::US, Categories::Legacy, &["pay_later", "pay_over_time"]);
        check(Country::NL, Categories::Legacy, &["pay_later", "pay_now"]);
        let company = SessionBody::new()
            .purchase_country(Country::SE)
            .customer(Customer::new().kind(CustomerType::Organization));
        assert_eq!(of(&company, Categories::Legacy).len(), 1);
    }

    #[test]
    fn names_are_in_the_sessions_language() {
        let body = SessionBody::new().purchase_country(Country::DE).locale("de-DE");
        let names: Vec<_> = of(&body, Categories::Klarna).into_iter().map(|c| c.name).collect();
        assert_eq!(names, [Some("Flexibel bezahlen".to_owned())]);
    }
}
