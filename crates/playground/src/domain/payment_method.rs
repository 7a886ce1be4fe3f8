//! One payment method in the terms of two APIs.

use klarna_types::order_management::{InitialPaymentMethod, InitialPaymentMethodType};
use klarna_types::payments::{AuthorizedPaymentMethod, PaymentMethodType};

/// The same method in Order Management's terms, with the words a shopper reads.
pub(crate) fn initial_payment_method(method: &AuthorizedPaymentMethod) -> InitialPaymentMethod {
    use InitialPaymentMethodType as To;
    use PaymentMethodType as From;
    let (kind, description) = match &method.kind {
        From::Invoice => (To::Invoice, "Pay later"),
        From::FixedAmount => (To::FixedAmount, "Slice it (Fixed Payments)"),
        From::BaseAccount => (To::Account, "Slice it (Account)"),
        From::DirectDebit => (To::DirectDebit, "Pay now (Direct debit)"),
        From::DirectBankTransfer => (To::BankTransfer, "Pay now (Bank transfer)"),
        From::B2bInvoice => (To::InvoiceBusiness, "Pay later (Business)"),
        From::Card => (To::Card, "Pay now (Card)"),
        From::SliceItByCard => (To::FixedAmountByCard, "Slice it (Card)"),
        From::PayLaterByCard => (To::PayLaterByCard, "Pay later (Card)"),
        From::PayByCard => (To::PayByCard, "Pay now (Card)"),
        From::FixedSumCredit => (To::FixedSumCredit, "Financing"),
        From::AlternativePaymentMethod => {
            (To::AlternativePaymentMethod, "Alternative payment method")
        }
        From::DeferredInterest => (To::DeferredInterest, "Deferred interest"),
        _ => (To::Other, "Other"),
    };
    InitialPaymentMethod {
        kind,
        description: Some(description.to_owned()),
        number_of_installments: method.number_of_installments,
    }
}
