//! Requests of the Payments API.

use super::{AddressLimits, Checker, LineLimits, UrlRule, is_allowed_url};
use crate::address::Address;
use crate::arithmetic;
use crate::customer::Customer;
use crate::market::{Country, Currency, Locale};
use crate::payments::{
    AcquiringChannel, Attachment, AttachmentBody, CustomerTokenBody, IntendedUse, Intent,
    MerchantUrls, Options, SessionBody,
};
use crate::problem::{Problem, Rule};

/// Whether the required members have to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

/// Whether members are looked at that sessions have and orders have not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Session,
    Order,
}

/// `POST sessions`, and a session into which an update was merged.
///
/// ```
/// use klarna_types::{payments::SessionBody, problem::bad_value, validate::{self, UrlRule}};
/// let body: SessionBody = serde_json::from_str(r#"{"purchase_country":"SE","purchase_currency":"EUR"}"#)?;
/// assert_eq!(
///     bad_value(&validate::create_session(&body, UrlRule::Https)).as_deref(),
///     Some("Bad value: order_amount, order_lines, purchase_currency")
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn create_session(body: &SessionBody, urls: UrlRule) -> Vec<Problem> {
    check(body, urls, Extent::Whole, Of::Session)
}

/// `POST sessions/{id}` as it is sent, before it is merged: what is there is checked, nothing is required, and sums
/// are compared only where both sides are there.
pub fn update_session(body: &SessionBody, urls: UrlRule) -> Vec<Problem> {
    check(body, urls, Extent::Part, Of::Session)
}

/// `POST authorizations/{token}/order`.
pub fn create_order(body: &SessionBody, urls: UrlRule) -> Vec<Problem> {
    check(body, urls, Extent::Whole, Of::Order)
}

fn check(body: &SessionBody, urls: UrlRule, extent: Extent, of: Of) -> Vec<Problem> {
    let mut checker = Checker::default();
    if extent == Extent::Whole {
        checker.required("purchase_country", body.purchase_country.as_ref());
        checker.required("purchase_currency", body.purchase_currency.as_ref());
        checker.required("order_amount", body.order_amount.as_ref());
        checker.required("order_lines", body.order_lines.as_ref());
    }
    checker.place(
        body.purchase_country.as_ref(),
        body.purchase_currency.as_ref(),
        body.locale.as_ref(),
        body.billing_address.as_ref().and_then(|address| address.country.as_ref()),
    );
    checker.range(
        "order_amount",
        body.order_amount.map(super::super::money::MinorUnits::get),
        Some(0),
        None,
    );
    checker.range(
        "order_tax_amount",
        body.order_tax_amount.map(super::super::money::MinorUnits::get),
        Some(0),
        None,
    );
    if let Some(lines) = &body.order_lines {
        checker.lines(lines, 1, &LineLimits::PAYMENTS);
    }
    checker.people(
        body.billing_address.as_ref(),
        body.shipping_address.as_ref(),
        body.customer.as_ref(),
    );
    if let Some(merchant_urls) = &body.merchant_urls {
        checker.merchant_urls(merchant_urls, urls);
    }
    checker.text("merchant_reference1", body.merchant_reference1.as_deref(), 0, 255);
    checker.text("merchant_reference2", body.merchant_reference2.as_deref(), 0, 255);
    checker.text("merchant_data", body.merchant_data.as_deref(), 0, 6000);
    if let Some(ids) = &body.custom_payment_method_ids {
        for (index, id) in ids.iter().enumerate() {
            checker.text(format!("custom_payment_method_ids[{index}]"), Some(id), 0, 255);
        }
    }
    if of == Of::Session {
        checker.session_members(body);
        if let Some(distribution) = &body.distribution {
            checker.in_store(body, distribution, urls);
        }
    }
    checker.arithmetic(body);
    checker.problems
}

/// `POST authorizations/{token}/customer-token`.
pub fn customer_token(body: &CustomerTokenBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.required("purchase_country", body.purchase_country.as_ref());
    checker.required("purchase_currency", body.purchase_currency.as_ref());
    checker.required("locale", body.locale.as_ref());
    checker.required("description", body.description.as_ref());
    checker.required("intended_use", body.intended_use.as_ref());
    // A billing address of another country does not change the country here, it is refused.
    checker.place(
        body.purchase_country.as_ref(),
        body.purchase_currency.as_ref(),
        body.locale.as_ref(),
        None,
    );
    let billing = body.billing_address.as_ref().and_then(|address| address.country.as_ref());
    if let (Some(country), Some(billing)) = (&body.purchase_country, billing)
        && billing.is_well_formed()
        && billing != country
    {
        checker.problem("purchase_country", Rule::BillingCountry { billing: billing.to_string() });
    }
    checker.text("description", body.description.as_deref(), 1, 255);
    if body.intended_use.as_ref().is_some_and(|intended_use| !intended_use.is_known()) {
        checker.unknown("intended_use", IntendedUse::KNOWN.iter().map(IntendedUse::as_str));
    }
    checker.people(body.billing_address.as_ref(), None, body.customer.as_ref());
    checker.problems
}

impl Checker {
    /// Country, currency and locale, each for itself and against each other.
    pub(super) fn place(
        &mut self,
        country: Option<&Country>,
        currency: Option<&Currency>,
        locale: Option<&Locale>,
        billing_country: Option<&Country>,
    ) {
        let before = self.problems.len();
        if let Some(country) = country {
            if !country.is_well_formed() {
                let expected = "a country code of two letters";
                self.problem("purchase_country", Rule::Form { expected });
            } else if !country.is_known() {
                self.problem("purchase_country", Rule::NotAMarket);
            }
        }
        if currency.is_some_and(|currency| !currency.is_well_formed()) {
            let expected = "a currency code of three letters";
            self.problem("purchase_currency", Rule::Form { expected });
        }
        if locale.is_some_and(|locale| !locale.is_well_formed()) {
            let expected = "a locale such as sv-SE";
            self.problem("locale", Rule::Form { expected });
        }
        // A billing country that cannot be read is reported with the address.
        if self.problems.len() > before || billing_country.is_some_and(|c| !c.is_well_formed()) {
            return;
        }
        let Some(effective) = billing_country.or(country) else { return };
        let Some(market) = effective.market() else {
            self.problem("billing_address.country", Rule::NotAMarket);
            return;
        };
        if currency.is_some_and(|currency| *currency != market.currency) {
            self.problem(
                "purchase_currency",
                Rule::CurrencyOfCountry {
                    country: effective.to_string(),
                    expected: market.currency.to_string(),
                },
            );
        }
        if locale.is_some_and(|locale| !market.accepts_locale(locale)) {
            self.problem(
                "locale",
                Rule::LocaleOfCountry { country: effective.to_string(), expected: market.locales },
            );
        }
    }

    fn people(
        &mut self,
        billing: Option<&Address>,
        shipping: Option<&Address>,
        customer: Option<&Customer>,
    ) {
        if let Some(address) = billing {
            self.address("billing_address", address, &AddressLimits::PAYMENTS);
        }
        if let Some(address) = shipping {
            self.address("shipping_address", address, &AddressLimits::PAYMENTS);
        }
        if let Some(customer) = customer {
            self.customer("customer", customer);
        }
    }

    fn session_members(&mut self, body: &SessionBody) {
        if body.intent.as_ref().is_some_and(|intent| !intent.is_known()) {
            self.unknown("intent", Intent::KNOWN.iter().map(Intent::as_str));
        }
        if body.acquiring_channel.as_ref().is_some_and(|channel| !channel.is_known()) {
            let expected = AcquiringChannel::KNOWN.iter().map(AcquiringChannel::as_str);
            self.unknown("acquiring_channel", expected);
        }
        if let Some(attachment) = &body.attachment
            && let Some(expected) = attachment_problem(attachment)
        {
            self.problem("attachment.attachment", Rule::Form { expected });
        }
        self.text("design", body.design.as_deref(), 0, 255);
        if let Some(options) = &body.options {
            self.options(options);
        }
        self.text("step_up_id", body.step_up_id.as_deref(), 0, 255);
    }

    fn options(&mut self, options: &Options) {
        for (path, color) in [
            ("options.color_border", &options.color_border),
            ("options.color_border_selected", &options.color_border_selected),
            ("options.color_details", &options.color_details),
            ("options.color_text", &options.color_text),
        ] {
            self.form(path, color.as_deref(), "a colour such as #0a7f3c", is_color);
        }
        self.text("options.radius_border", options.radius_border.as_deref(), 0, 255);
    }

    pub(super) fn merchant_urls(&mut self, urls: &MerchantUrls, rule: UrlRule) {
        for (path, url) in [
            ("merchant_urls.confirmation", &urls.confirmation),
            ("merchant_urls.notification", &urls.notification),
            ("merchant_urls.push", &urls.push),
            ("merchant_urls.authorization", &urls.authorization),
        ] {
            let before = self.problems.len();
            self.text(path, url.as_deref(), 0, 2000);
            let fine_so_far = self.problems.len() == before;
            if fine_so_far && url.as_deref().is_some_and(|url| !is_allowed_url(url, rule)) {
                self.problem(path, Rule::NotHttps);
            }
        }
        self.text("merchant_urls.app_return_url", urls.app_return_url.as_deref(), 0, 2000);
    }

    /// Sums are compared once every line is fine for itself as to limits; a line that lacks a number would otherwise
    /// be reported a second time as a wrong sum.
    fn arithmetic(&mut self, body: &SessionBody) {
        let Some(lines) = &body.order_lines else { return };
        let lines_are_readable = !self.problems.iter().any(|p| p.path.starts_with("order_lines"));
        if lines_are_readable {
            self.problems.extend(arithmetic::check(
                lines,
                body.order_amount,
                body.order_tax_amount,
            ));
        }
    }
}

/// Extra merchant data: a JSON object as a string, whose members are lists of objects.
pub(super) fn attachment_problem(attachment: &AttachmentBody) -> Option<&'static str> {
    if attachment.content_type.as_deref() != Some(Attachment::CONTENT_TYPE) {
        return Some("of content type application/vnd.klarna.internal.emd-v2+json");
    }
    let Some(serde_json::Value::String(body)) = &attachment.body else {
        return Some("a JSON document in a string");
    };
    let document: Result<serde_json::Map<String, serde_json::Value>, _> =
        serde_json::from_str(body);
    let packages_are_lists = document.is_ok_and(|packages| {
        packages.values().all(|package| {
            package.as_array().is_some_and(|items| items.iter().all(serde_json::Value::is_object))
        })
    });
    (!packages_are_lists).then_some("a JSON object whose members are lists of objects")
}

/// `^#[A-Fa-f0-9]{6}$`
fn is_color(value: &str) -> bool {
    value.strip_prefix('#').is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
