//! Bodies of every API: reading, writing, and the limits of what is sent.

use klarna_types::customer_token::{
    CreatedTokenOrder, CustomerToken, TokenOrderBody, TokenStatusBody,
};
use klarna_types::disputes::{self as v4, FileName, v2};
use klarna_types::hosted_payment_page as hpp;
use klarna_types::order_management as om;
use klarna_types::payments as kp;
use klarna_types::problem::{Problem, bad_value};
use klarna_types::settlements as st;
use klarna_types::validate::{self, UrlRule};
use klarna_types::{Country, Currency, ErrorBody, Locale, MinorUnits, TaxRate, in_store as is};
use serde::Serialize;
use serde::de::DeserializeOwned;

const URL_RULES: [UrlRule; 3] = [UrlRule::Https, UrlRule::HttpsOrLoopback, UrlRule::Any];

/// What can be read can be written, and what was written is read as the same.
fn read_back<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written)
        .unwrap_or_else(|error| panic!("{written} is not read again: {error}"));
    let rewritten = serde_json::to_string(&again).expect("what was read can be written");
    assert_eq!(written, rewritten, "written again, it is something else");
    Some(read)
}

/// The same, and what passes its limits passes them again after it was written and read.
fn checked<T: DeserializeOwned + Serialize>(data: &[u8], check: impl Fn(&T) -> Vec<Problem>) {
    let Some(read) = read_back::<T>(data) else { return };
    let problems = check(&read);
    told(&problems);
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(problems, check(&again), "the limits judge otherwise after {written}");
}

/// Every problem can be told in each API's words.
fn told(problems: &[Problem]) {
    assert_eq!(bad_value(problems).is_none(), problems.is_empty());
    for problem in problems {
        assert!(!problem.path.is_empty());
        assert!(!problem.to_string().is_empty());
        assert!(!problem.order_management_message().is_empty());
    }
}

/// Payments: requests, answers, callbacks.
pub(crate) fn payments(data: &[u8]) {
    for urls in URL_RULES {
        checked::<kp::SessionBody>(data, |body| validate::create_session(body, urls));
        checked::<kp::SessionBody>(data, |body| validate::update_session(body, urls));
        checked::<kp::SessionBody>(data, |body| validate::create_order(body, urls));
    }
    checked::<kp::CustomerTokenBody>(data, validate::customer_token);
    read_back::<kp::CreatedSession>(data);
    read_back::<kp::Session>(data);
    read_back::<kp::CreatedOrder>(data);
    read_back::<kp::CreatedCustomerToken>(data);
    read_back::<kp::AuthorizationCallback>(data);
    read_back::<kp::FraudNotification>(data);
    read_back::<kp::AttachmentBody>(data);
    if let Some(session) = read_back::<kp::SessionBody>(data) {
        // The country's rules, whatever the country.
        if let Some(market) = session.purchase_country.as_ref().and_then(Country::market) {
            assert!(!market.locales.is_empty());
        }
    }
}

/// Order Management.
pub(crate) fn orders(data: &[u8]) {
    checked::<om::CreateCaptureBody>(data, validate::capture);
    checked::<om::CreateRefundBody>(data, validate::refund);
    checked::<om::UpdateAuthorizationBody>(data, validate::update_authorization);
    checked::<om::UpdateConsumerBody>(data, validate::update_consumer);
    checked::<om::UpdateMerchantReferences>(data, validate::merchant_references);
    checked::<om::UpdateShippingInfoBody>(data, validate::shipping_info);
    checked::<om::ExtendDueDateBody>(data, validate::extend_due_date);
    read_back::<om::Order>(data);
    read_back::<om::Capture>(data);
    read_back::<om::Refund>(data);
    read_back::<om::ExtendDueDateOptions>(data);
}

/// Customer Tokens.
pub(crate) fn tokens(data: &[u8]) {
    for urls in URL_RULES {
        checked::<TokenOrderBody>(data, |body| validate::token_order(body, urls));
    }
    checked::<TokenStatusBody>(data, validate::token_status);
    read_back::<CustomerToken>(data);
    read_back::<CreatedTokenOrder>(data);
}

/// Hosted Payment Page.
pub(crate) fn hosted(data: &[u8]) {
    for urls in URL_RULES {
        checked::<hpp::CreateSession>(data, |session| {
            validate::hosted_session(&session.clone().into(), urls)
        });
    }
    if let Ok(body) = serde_json::from_slice::<hpp::CreateSessionBody>(data) {
        told(&validate::hosted_session(&body, UrlRule::Https));
    }
    if let Ok(body) = serde_json::from_slice::<hpp::DistributeSessionBody>(data) {
        told(&validate::hosted_distribution(&body));
    }
    read_back::<hpp::CreatedSession>(data);
    read_back::<hpp::Session>(data);
    read_back::<hpp::StatusCallback>(data);
}

/// In-store: the part of a session, and the results.
pub(crate) fn in_store(data: &[u8]) {
    read_back::<is::Distribution>(data);
    read_back::<is::CreatedDistribution>(data);
    read_back::<is::DistributionResult>(data);
    read_back::<is::DistributionError>(data);
    read_back::<is::StoreInfo>(data);
    for urls in URL_RULES {
        checked::<kp::SessionBody>(data, |body| validate::create_session(body, urls));
    }
}

/// Disputes, version 4, its webhooks and the names of its files.
pub(crate) fn disputes(data: &[u8]) {
    read_back::<v4::Dispute>(data);
    read_back::<v4::DisputeList>(data);
    read_back::<v4::Represented>(data);
    read_back::<v4::Appealed>(data);
    read_back::<v4::AcceptedLoss>(data);
    read_back::<v4::UploadedAttachment>(data);
    read_back::<v4::NetworkError>(data);
    read_back::<v4::webhook::DisputeEvent>(data);
    drop(serde_json::from_slice::<v4::RepresentBody>(data));
    drop(serde_json::from_slice::<v4::AppealBody>(data));
    drop(serde_json::from_slice::<v4::EnrollPartnerBody>(data));
    if let Ok(text) = std::str::from_utf8(data) {
        let (given, of_file) = text.split_once('\n').unwrap_or((text, text));
        if let Ok(name) = FileName::choose(Some(given), Some(of_file)) {
            assert!(!name.as_str().contains(['/', '\\', '\0', '\n']), "{:?}", name.as_str());
            let _ = name.check(data);
        }
    }
}

/// Disputes, version 2.
pub(crate) fn disputes_v2(data: &[u8]) {
    read_back::<v2::DisputeDetails>(data);
    read_back::<v2::DisputeList>(data);
    read_back::<v2::NewResponse>(data);
    read_back::<v2::DisputeError>(data);
    read_back::<v2::Response>(data);
}

/// Settlements.
pub(crate) fn settlements(data: &[u8]) {
    if let Some(payout) = read_back::<st::Payout>(data) {
        let _ = payout.totals.settlement_by_formula(&payout.merchant_settlement_type);
        let _ = payout.totals.closing_debt_by_formula();
    }
    read_back::<st::PayoutCollection>(data);
    read_back::<st::TransactionCollection>(data);
    read_back::<st::PayoutSummary>(data);
    if let Some(transaction) = read_back::<st::Transaction>(data) {
        let _ = transaction.signed_amount();
    }
}

/// Bodies that come with an error status, and the small texts of which all bodies are made.
pub(crate) fn errors(data: &[u8]) {
    let error = ErrorBody::read(data);
    let written = serde_json::to_vec(&error).expect("an error body can be written");
    let again = ErrorBody::read(&written);
    assert_eq!(serde_json::to_vec(&again).ok(), Some(written));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let currency = Currency::from(text);
    for amount in [0, 1, -1, 999, i64::MAX, i64::MIN] {
        assert!(!MinorUnits::new(amount).to_decimal(currency.exponent()).is_empty());
    }
    let _ = Country::from(text).market();
    assert_eq!(Locale::from(text).as_str().len(), text.len());
    drop(TaxRate::new(i64::MAX).to_string());
}
