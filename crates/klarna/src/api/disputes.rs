//! The Disputes API, version 4; version 2 is [`DisputesV2`].
//!
//! Klarna documents no idempotency key for it. The calls that change a dispute's state are repeated all the same when
//! their outcome is unknown, since the state takes each of them once: a second one is answered with 409
//! `RESOURCE_CONFLICT`. After a try whose outcome is unknown that answer means that the dispute has to be read.

mod v2;

pub use v2::DisputesV2;

use http::Method;
use klarna_types::MerchantId;
use klarna_types::disputes::{
    AcceptedLoss, Appeal, Appealed, Dispute, DisputeList, EnrollPartner, ListDisputes,
    PaymentDisputeAttachmentId, PaymentDisputeId, Represent, Represented, UploadedAttachment,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{operation, with_body, with_upload};
use crate::call::{self, Call};
use crate::client::Client;
use crate::download::DownloadCall;
use crate::engine::Operation;
use crate::error::Error;
use crate::list::{Asked, Following, List, Next, Page, Sealed};
use crate::multipart::Upload;
use crate::query::Query;
use crate::retry::Repeat;

macro_rules! route {
    ($rest:literal) => {
        concat!("/v4/payment/disputes", $rest)
    };
}

/// Disputes. From [`Client::disputes`].
#[derive(Debug, Clone, Copy)]
pub struct Disputes<'c> {
    pub(crate) client: &'c Client,
}

impl<'c> Disputes<'c> {
    /// Version 2 of the API, which is closed for new integrations.
    pub fn v2(&self) -> DisputesV2<'c> {
        DisputesV2 { client: self.client }
    }

    /// Enrols a merchant. Twice is once.
    pub fn enroll(&self, merchant_id: &MerchantId) -> Call<()> {
        let route = route!("/merchants/{merchant_id}/enroll");
        let operation = safe(operation(Method::POST, route, &[merchant_id.as_str()]));
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Enrols a partner for all its merchants. Twice is once.
    pub fn enroll_partner(&self, partner_id: &str, request: &EnrollPartner) -> Call<()> {
        let route = route!("/partners/{partner_id}/enroll");
        let operation = safe(with_body(Method::POST, route, &[partner_id], request));
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Lists disputes: await it for one page, or take [`List::items`] for all.
    pub fn list(&self, filter: &ListDisputes) -> List<DisputeList> {
        let operation = operation(Method::GET, route!(""), &[]);
        List::new(self.client.shared(), operation, Query::from(filter.query()))
    }

    /// Reads a dispute.
    pub fn get(&self, id: &PaymentDisputeId) -> Call<Dispute> {
        let operation = operation(Method::GET, route!("/{payment_dispute_id}"), &[id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Accepts the loss, for good. Possible while the dispute is new or preliminarily lost.
    pub fn accept_loss(&self, id: &PaymentDisputeId) -> Call<AcceptedLoss> {
        let route = route!("/{payment_dispute_id}/accept-loss");
        let operation = safe(operation(Method::POST, route, &[id.as_str()]));
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Uploads a file that [`Disputes::represent`] or [`Disputes::appeal`] can name: PDF, JPEG, PNG or DOCX, at most 7 MB.
    ///
    /// Repeated by itself when the outcome is unknown: a file that is not named counts for nothing.
    pub fn upload(&self, id: &PaymentDisputeId, file: &Upload) -> Call<UploadedAttachment> {
        let route = route!("/{payment_dispute_id}/attachments");
        let operation = safe(with_upload(route, &[id.as_str()], file));
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Answers a new dispute with evidence.
    pub fn represent(&self, id: &PaymentDisputeId, request: &Represent) -> Call<Represented> {
        self.answer(route!("/{payment_dispute_id}/represent"), id, request)
    }

    /// Appeals against a preliminary loss.
    pub fn appeal(&self, id: &PaymentDisputeId, request: &Appeal) -> Call<Appealed> {
        self.answer(route!("/{payment_dispute_id}/appeal"), id, request)
    }

    /// Downloads a file of the merchant's or of the shopper's.
    pub fn attachment(
        &self,
        id: &PaymentDisputeId,
        attachment: &PaymentDisputeAttachmentId,
    ) -> DownloadCall {
        let route = route!("/{payment_dispute_id}/attachments/{attachment_id}/download");
        let operation = operation(Method::GET, route, &[id.as_str(), attachment.as_str()]);
        DownloadCall::new(self.client.shared(), operation, "*/*")
    }

    fn answer<B: Serialize, T: DeserializeOwned>(
        self,
        route: &'static str,
        id: &PaymentDisputeId,
        request: &B,
    ) -> Call<T> {
        let operation = safe(with_body(Method::POST, route, &[id.as_str()], request));
        Call::new(self.client.shared(), operation, call::json)
    }
}

/// May be sent twice.
fn safe(operation: Result<Operation, Error>) -> Result<Operation, Error> {
    operation.map(|mut operation| {
        operation.repeat = Repeat::Safe;
        operation
    })
}

impl Sealed for DisputeList {}

impl Page for DisputeList {
    type Item = Dispute;

    fn following(&self, asked: &Asked) -> Following {
        let links = self.pagination.links.as_ref();
        let link = links.and_then(|links| links.next.as_ref()?.href.clone());
        Following(match (&self.pagination.last_item, link) {
            (Some(cursor), _) if !cursor.is_empty() && !self.disputes.is_empty() => {
                Next::Ask(asked.0.clone().replace("starting_after", cursor))
            }
            (None, Some(link)) if !link.is_empty() => Next::Link(link),
            _ => Next::End,
        })
    }

    fn into_items(self) -> Vec<Dispute> {
        self.disputes
    }
}
