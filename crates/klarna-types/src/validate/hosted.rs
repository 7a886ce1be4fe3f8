//! Limits of the Hosted Payment Page API. Its OpenAPI document has none for texts; those of the platform stand in.

use super::{Checker, UrlRule, is_allowed_url};
use crate::hosted_payment_page::{
    CreateSessionBody, DistributeSessionBody, DistributionMethod, DistributionTemplate,
    MerchantUrls, Options, PaymentMethodCategory, PlaceOrderMode, PurchaseType, SubtotalDetail,
};
use crate::problem::{Problem, Rule};

const MAX_URL: usize = 2000;
const MAX_TITLE: usize = 255;
const MAX_PICTURES: usize = 50;

/// What is wrong with [`crate::hosted_payment_page::CreateSession`]. Whether the Payments session exists is not asked.
pub fn hosted_session(request: &CreateSessionBody, urls: UrlRule) -> Vec<Problem> {
    let mut check = Checker::default();
    check.required("payment_session_url", request.payment_session_url.as_ref());
    check.text("payment_session_url", request.payment_session_url.as_deref(), 1, MAX_URL);
    if let Some(merchant_urls) = &request.merchant_urls {
        check.hosted_urls(merchant_urls, urls);
    }
    if let Some(options) = &request.options {
        check.hosted_options(options, urls);
    }
    check.text("profile_id", request.profile_id.as_deref(), 1, MAX_TITLE);
    check.problems
}

/// What is wrong with [`crate::hosted_payment_page::DistributeSession`], but for the contact itself.
pub fn hosted_distribution(request: &DistributeSessionBody) -> Vec<Problem> {
    let mut check = Checker::default();
    check.required("method", request.method.as_ref());
    if request.method.as_ref().is_some_and(|method| !method.is_known()) {
        check.unknown("method", DistributionMethod::KNOWN.iter().map(DistributionMethod::as_str));
    }
    check.required("contact_information", request.contact_information.as_ref());
    if let Some(contact) = &request.contact_information {
        for (member, value) in [
            ("email", &contact.email),
            ("phone", &contact.phone),
            ("access_id", &contact.access_id),
        ] {
            check.text(format!("contact_information.{member}"), value.as_deref(), 0, MAX_TITLE);
        }
    }
    if request.template.as_ref().is_some_and(|template| !template.is_known()) {
        let known = DistributionTemplate::KNOWN.iter().map(DistributionTemplate::as_str);
        check.unknown("template", known);
    }
    check.problems
}

impl Checker {
    fn hosted_urls(&mut self, urls: &MerchantUrls, rule: UrlRule) {
        for (member, url) in [
            ("success", &urls.success),
            ("cancel", &urls.cancel),
            ("back", &urls.back),
            ("failure", &urls.failure),
            ("error", &urls.error),
            ("status_update", &urls.status_update),
        ] {
            self.hosted_url(format!("merchant_urls.{member}"), url.as_deref(), rule);
        }
    }

    fn hosted_options(&mut self, options: &Options, rule: UrlRule) {
        let at = |member: &str| format!("options.{member}");
        if options.place_order_mode.as_ref().is_some_and(|mode| !mode.is_known()) {
            let known = PlaceOrderMode::KNOWN.iter().map(PlaceOrderMode::as_str);
            self.unknown(at("place_order_mode"), known);
        }
        self.category(at("payment_method_category"), options.payment_method_category.as_ref());
        if let Some(categories) = &options.payment_method_categories {
            if options.payment_method_category.is_some() {
                self.problem(
                    at("payment_method_categories"),
                    Rule::Form { expected: "absent when payment_method_category is sent" },
                );
            }
            let known = PaymentMethodCategory::KNOWN.len();
            if categories.len() > known {
                self.problem(
                    at("payment_method_categories"),
                    Rule::Items { found: categories.len(), min: 0, max: known },
                );
            } else {
                for (index, category) in categories.iter().enumerate() {
                    let path = at(&format!("payment_method_categories[{index}]"));
                    self.category(path, Some(category));
                }
            }
        }
        if options.purchase_type.as_ref().is_some_and(|kind| !kind.is_known()) {
            let known = PurchaseType::KNOWN.iter().map(PurchaseType::as_str);
            self.unknown(at("purchase_type"), known);
        }
        self.text(at("page_title"), options.page_title.as_deref(), 0, MAX_TITLE);
        self.hosted_url(at("logo_url"), options.logo_url.as_deref(), rule);
        let pictures = options.background_images.as_deref().unwrap_or_default();
        if pictures.len() > MAX_PICTURES {
            self.problem(
                at("background_images"),
                Rule::Items { found: pictures.len(), min: 0, max: MAX_PICTURES },
            );
        } else {
            for (index, picture) in pictures.iter().enumerate() {
                let path = at(&format!("background_images[{index}]"));
                self.required(format!("{path}.url"), picture.url.as_ref());
                self.hosted_url(format!("{path}.url"), picture.url.as_deref(), rule);
                self.range(format!("{path}.width"), picture.width, Some(1), Some(100_000));
            }
        }
        if options.show_subtotal_detail.as_ref().is_some_and(|detail| !detail.is_known()) {
            let known = SubtotalDetail::KNOWN.iter().map(SubtotalDetail::as_str);
            self.unknown(at("show_subtotal_detail"), known);
        }
    }

    fn category(&mut self, path: String, category: Option<&PaymentMethodCategory>) {
        if category.is_some_and(|category| !category.is_known()) {
            let known = PaymentMethodCategory::KNOWN.iter().map(PaymentMethodCategory::as_str);
            self.unknown(path, known);
        }
    }

    fn hosted_url(&mut self, path: String, url: Option<&str>, rule: UrlRule) {
        let Some(url) = url else { return };
        if url.chars().count() > MAX_URL {
            self.text(path, Some(url), 1, MAX_URL);
        } else if url.chars().any(|character| super::is_control(character) || character == ' ') {
            self.problem(path, Rule::ControlCharacter);
        } else if !is_allowed_url(url, rule) {
            self.problem(path, Rule::NotHttps);
        }
    }
}
