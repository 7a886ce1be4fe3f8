//! A dispute as version 2 shows it.

use klarna_types::disputes::{DisputeOutcome, v2};
use klarna_types::money::MinorUnits;

use super::{ClosedBy, Dispute, File, Request, Response, Stage, status_of};

impl Dispute {
    /// The whole dispute.
    pub(crate) fn view_v2(&self) -> v2::DisputeDetails {
        let subject = &self.subject;
        let money = |amount: MinorUnits| v2::Money::new(amount, subject.currency.clone());
        let closing = self.closing.as_ref();
        let chargeback = closing
            .filter(|_| self.account.debited.is_positive())
            .map(|_| money(self.account.debited));
        let lines = subject.lines.iter().map(|(reference, quantity)| v2::DisputedOrderLine {
            reference: reference.clone(),
            disputed_quantity: Some(*quantity),
        });
        let region = match super::region_code(&subject.country) {
            "us1" => "NA",
            "ap1" => "OC",
            _ => "EU",
        };
        let requests = (1_i64..).zip(&self.requests);
        v2::DisputeDetails {
            dispute_krn: v2::DisputeKrn::new(self.krn()),
            reason: self.reason.v2(),
            investigation_status: status_of(self),
            region: Some(region.to_owned()),
            status: Some(if self.stage == Stage::Closed {
                v2::DisputeStatus::Closed
            } else {
                v2::DisputeStatus::Open
            }),
            opened_at: Some(self.created_at),
            closed_at: closing.map(|closing| closing.at),
            deadline_expires_at: self.deadline,
            closing_reason: closing.map(|closing| match (&closing.outcome, closing.by) {
                (DisputeOutcome::Won, _) | (_, ClosedBy::Settlement | ClosedBy::Withdrawal) => {
                    v2::ClosingReason::Resolved
                }
                _ => v2::ClosingReason::Chargeback,
            }),
            closing_reason_detailed: closing.map(|closing| in_v2(closing.detailed.as_str())),
            capture_id: subject.capture_id.clone(),
            order: Some(self.order_v2()),
            merchant: Some(
                v2::Merchant::new()
                    .merchant_id(subject.merchant_id.clone())
                    .name(subject.merchant_id.as_str()),
            ),
            disputed_amount: Some(money(self.amount)),
            chargeback_amount: chargeback,
            charged_disputes_fee: Some(self.account.fee).filter(|fee| fee.is_positive()).map(money),
            disputed_order_lines: Some(lines.collect()),
            requests: Some(
                requests
                    .map(|(number, request)| request.view_v2(number, self.customer_attachments()))
                    .collect(),
            ),
        }
    }

    fn order_v2(&self) -> v2::DisputedOrder {
        let subject = &self.subject;
        let parcels = subject.parcels.iter().map(|(carrier, number)| v2::ShippingInfo {
            shipping_carrier: carrier.clone(),
            tracking_id: number.clone(),
        });
        v2::DisputedOrder {
            order_id: Some(subject.order_id.clone()),
            created_at: Some(subject.order_created_at),
            order_amount: Some(subject.order_amount),
            purchase_currency: Some(subject.currency.clone()),
            merchant_reference1: subject.merchant_reference1.clone(),
            merchant_reference2: subject.merchant_reference2.clone(),
            merchant_data: subject.merchant_data.clone(),
            shipping_info: Some(parcels.collect()),
        }
    }

    /// An answer, by the places of its request and of itself, counted from 1.
    pub(crate) fn response_v2(&self, request: i64, response: i64) -> Option<v2::Response> {
        let kept = self.requests.get(place(request)?)?.responses.get(place(response)?)?;
        Some(kept.view_v2(response))
    }

    /// Whether a file belongs to that answer.
    pub(crate) fn has_file(&self, request: i64, response: i64, number: i64) -> bool {
        let find = || self.requests.get(place(request)?)?.responses.get(place(response)?);
        find().is_some_and(|kept| kept.files.iter().any(|file| file.number == number))
    }

    /// Whether there is such a request.
    pub(crate) fn has_request(&self, request: i64) -> bool {
        place(request).is_some_and(|place| place < self.requests.len())
    }

    /// What the shopper shows, as Klarna hands it on with each request.
    fn customer_attachments(&self) -> Vec<v2::Attachment> {
        let file = self.customer_file().map(|_| v2::Attachment {
            attachment_id: Self::CUSTOMER_FILE,
            filename: Some("customer-evidence.pdf".to_owned()),
        });
        file.into_iter().collect()
    }

    /// The number of the shopper's file as an attachment of a request.
    pub(crate) const CUSTOMER_FILE: i64 = 1_000;
}

fn place(number: i64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

/// Version 4 says `partner` where version 2 said `merchant`.
fn in_v2(detailed: &str) -> String {
    match detailed.strip_prefix("partner_") {
        Some(rest) => format!("merchant_{rest}"),
        None => detailed.replace("_partner_", "_merchant_"),
    }
}

impl Request {
    fn view_v2(&self, number: i64, attachments: Vec<v2::Attachment>) -> v2::Request {
        let responses = (1_i64..).zip(&self.responses);
        v2::Request {
            request_id: number,
            created_at: Some(self.at),
            comment: Some(self.comment.clone()),
            requested_fields: self.required.clone(),
            optional_requested_fields: self.optional.clone(),
            attachments,
            responses: responses.map(|(number, response)| response.view_v2(number)).collect(),
        }
    }
}

impl Response {
    fn view_v2(&self, number: i64) -> v2::Response {
        v2::Response {
            response_id: number,
            created_at: Some(self.at),
            comment: self.comment.clone(),
            requested_fields: self.fields.clone(),
            attachments: self.files.iter().map(File::view_v2).collect(),
        }
    }
}

impl File {
    fn view_v2(&self) -> v2::Attachment {
        v2::Attachment { attachment_id: self.number, filename: Some(self.name.clone()) }
    }
}
