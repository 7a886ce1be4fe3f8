//! How a dispute ends, in one word and in many.

open_enum! {
    /// Who was right, from the merchant's side.
    #[non_exhaustive]
    pub enum DisputeOutcome: any_case {
        /// The merchant.
        Won = "WON",
        /// The shopper.
        Lost = "LOST",
    }
}

open_enum! {
    /// Why a dispute ended as it did. Klarna's model writes these in lower case, its samples in upper case; both are
    /// read.
    #[non_exhaustive]
    pub enum DisputeOutcomeDetailed: any_case {
        /// No answer in time.
        PartnerDidNotReply = "partner_did_not_reply_to_dispute_request",
        /// No answer to a high-risk order.
        PartnerDidNotRespondToStopRequest = "partner_did_not_respond_to_stop_request",
        /// No answer, and nothing known of the shipment.
        PartnerDidNotRespondWithoutShippingInformation = "partner_did_not_respond_and_did_not_provide_shipping_information_when_order_was_captured",
        /// An answer, but nothing known of the shipment.
        PartnerRespondedWithoutShippingInformation = "partner_responded_but_the_order_was_sent_without_shipping_information",
        /// All follow-up requests are used up.
        CouldNotSendAnotherRequest = "could_not_send_another_request",
        /// Shipped against Klarna's policy.
        ShippingPolicyNotFollowed = "partner_did_not_follow_klarnas_shipping_policy",
        /// Shipped although asked to stop.
        ShippedStopRequestedOrder = "shipped_stop_requested_order",
        /// Shipped to another address.
        ShippedToNonApprovedAddress = "shipped_to_non_approved_address",
        /// Handed to another recipient.
        NonApprovedAddressRecipient = "non_approved_address_recipient",
        /// The proof of delivery does not suffice.
        InsufficientProofOfDelivery = "insufficient_proof_of_delivery",
        /// There is no proof of delivery.
        NoProofOfDelivery = "no_proof_of_delivery",
        /// The recipient was not checked well enough.
        InsufficientRecipientCheck = "insufficient_recipient_check_at_pickup_delivery",
        /// Handed over wrongly in a store.
        IncorrectDeliveryInStore = "incorrect_invalid_delivery_in_physical_store",
        /// Not a physical good.
        NonPhysicalGoods = "non_physical_goods",
        /// A service or digital good for which Klarna takes no risk.
        ServiceWithoutRisk = "service_digital_goods_klarna_does_not_take_risk",
        /// The statement was not adjusted as asked.
        StatementNotAdjusted = "partner_did_not_adjust_statement_on_klarnas_request",
        /// A promised cancellation did not come.
        PromisedCancellationMissing = "partner_claimed_they_would_cancel_the_order_but_did_not",
        /// A promised refund did not come.
        PromisedRefundMissing = "partner_did_not_perform_promised_refund",
        /// The order was not updated as asked.
        OrderNotUpdated = "partner_did_not_update_order_as_requested",
        /// Captured wrongly.
        InvoiceIncorrectlyActivated = "invoice_incorrectly_activated",
        /// The order lacks the shopper's details.
        OrderMissingConsumerDetails = "order_missing_consumer_details",
        /// The shipping details are valid.
        ValidShippingDetails = "partner_provided_valid_shipping_details",
        /// The return is invalid.
        InvalidReturn = "partner_informed_about_invalid_return",
        /// The amount is right.
        InvoiceIsCorrect = "partner_informs_that_invoice_is_correct",
        /// No other payment has arrived.
        PaymentNotReceived = "partner_has_not_received_payment_or_payment_to_3rd_party",
        /// The dispute is invalid.
        InvalidDispute = "partner_informed_about_invalid_dispute",
        /// Decided for the merchant.
        ResolvedInPartnerFavor = "klarna_resolved_dispute_in_partner_favor",
        /// The statement counts again.
        ReactivatedStatement = "reactivated_invoice_statement",
        /// The shopper withdrew.
        CustomerCancelled = "customer_cancelled_dispute",
        /// The merchant has refunded.
        PartnerRefunded = "partner_has_refunded_payment_to_customer",
        /// The merchant and the shopper agreed.
        PartnerSolved = "partner_solved_the_dispute_with_the_customer",
        /// Refunded late.
        RefundedAfterEscalation = "refund_issued_by_partner_after_escalation",
        /// Paid late.
        PaidAfterEscalation = "fully_paid_after_escalation",
        /// Paid to the wrong account and refunded.
        IncorrectPaymentDetailsRefunded = "incorrect_payment_details_used_refunded",
        /// The merchant accepted the loss.
        PartnerAcceptedTheLoss = "partner_accepted_the_loss",
        /// The order was cancelled wholly.
        CanceledFullOrder = "partner_successfully_canceled_full_order",
        /// The order was cancelled in part.
        CanceledPartialOrder = "partner_successfully_canceled_partial_order",
        /// No answer, but the capture said all about the shipment.
        NoResponseButFullShippingInformation = "partner_did_not_respond_but_provided_full_shipping_information_when_order_was_captured",
        /// No answer, but the capture said something about the shipment.
        NoResponseButPartialShippingInformation = "partner_did_not_respond_but_provided_partial_shipping_information_when_order_was_captured",
        /// Captured in full; the answer said all about the shipment.
        FullCaptureFullShippingInformation = "partner_captured_full_order_but_provided_full_shipping_information_via_response",
        /// Captured in full; the answer said something about the shipment.
        FullCapturePartialShippingInformation = "partner_captured_full_order_but_provided_partial_shipping_information_via_response",
        /// Captured in part; the answer told of the shipment.
        PartialCaptureShippingInformation = "partner_captured_partial_order_but_provided_shipping_information_via_response",
        /// Raised for another reason than it should have been.
        WrongReasonChosen = "klarna_resolved_due_wrong_dispute_reason_chosen",
        /// Opened for another reason than it should have been.
        WrongReasonOpened = "dispute_opened_under_wrong_dispute_reason",
    }
}
