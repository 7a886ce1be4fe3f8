//! Version 2 of the Disputes API: Klarna asks, the merchant answers. Closed for new integrations.

use http::{HeaderName, HeaderValue, Method};
use klarna_types::disputes::v2::{
    Attachment, DisputeDetails, DisputeKrn, DisputeList, ListDisputes, MERCHANT_HEADER,
    NewResponse, Response,
};

use super::safe;
use crate::api::{operation, with_body, with_upload};
use crate::call::{self, Call};
use crate::client::Client;
use crate::download::DownloadCall;
use crate::engine::Operation;
use crate::error::Error;
use crate::list::{Asked, Following, List, Next, Page, Sealed};
use crate::multipart::Upload;
use crate::query::Query;

macro_rules! route {
    ($rest:literal) => {
        concat!("/disputes/v2", $rest)
    };
}

/// Disputes of version 2. From [`super::Disputes::v2`].
///
/// Each call names the merchant, so that the client's [`crate::Credentials`] have to say whose they are: by a username
/// such as `K123456_…`, or by [`crate::Credentials::of_merchant`].
#[derive(Debug, Clone, Copy)]
pub struct DisputesV2<'c> {
    pub(crate) client: &'c Client,
}

impl DisputesV2<'_> {
    /// Enrols the merchant. Twice is once.
    pub fn enroll(&self) -> Call<()> {
        let operation = self.named(safe(operation(Method::POST, route!("/enroll"), &[])));
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Lists disputes: await it for one page, or take [`List::items`] for all.
    pub fn list(&self, filter: &ListDisputes) -> List<DisputeList> {
        let operation = self.named(operation(Method::GET, route!("/disputes"), &[]));
        List::new(self.client.shared(), operation, Query::from(filter.query()))
    }

    /// Reads a dispute.
    pub fn get(&self, krn: &DisputeKrn) -> Call<DisputeDetails> {
        let route = route!("/disputes/{dispute_krn}");
        let operation = self.named(operation(Method::GET, route, &[krn.as_str()]));
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Accepts the loss, for good.
    ///
    /// Repeated by itself when the outcome is unknown. Where the loss was accepted and only the answer was lost, the
    /// repetition is refused, and the error says that the outcome is unknown: read the dispute.
    pub fn accept_loss(&self, krn: &DisputeKrn) -> Call<()> {
        let route = route!("/disputes/{dispute_krn}/accept-loss");
        let operation = self.named(safe(operation(Method::POST, route, &[krn.as_str()])));
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Uploads a file that [`DisputesV2::respond`] can name: PDF, JPEG, PNG or DOCX.
    ///
    /// Repeated by itself when the outcome is unknown: a file that is not named counts for nothing.
    pub fn upload(&self, krn: &DisputeKrn, file: &Upload) -> Call<Attachment> {
        let route = route!("/disputes/{dispute_krn}/attachments");
        let operation = self.named(safe(with_upload(route, &[krn.as_str()], file)));
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Answers one of Klarna's requests.
    ///
    /// Not repeated once it may have been executed: a second answer would stand beside the first. Read the dispute to
    /// see whether it arrived.
    pub fn respond(
        &self,
        krn: &DisputeKrn,
        request_id: i64,
        response: &NewResponse,
    ) -> Call<Response> {
        let route = route!("/disputes/{dispute_krn}/requests/{request_id}/responses");
        let values = [krn.as_str(), &request_id.to_string()];
        let operation = self.named(with_body(Method::POST, route, &values, response));
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Downloads a file of one of Klarna's requests.
    pub fn request_attachment(
        &self,
        krn: &DisputeKrn,
        request_id: i64,
        attachment_id: i64,
    ) -> DownloadCall {
        let route =
            route!("/disputes/{dispute_krn}/requests/{request_id}/attachments/{attachment_id}");
        let values = [krn.as_str(), &request_id.to_string(), &attachment_id.to_string()];
        let operation = self.named(operation(Method::GET, route, &values));
        DownloadCall::new(self.client.shared(), operation, "*/*")
    }

    /// Downloads a file of one of the merchant's answers.
    pub fn response_attachment(
        &self,
        krn: &DisputeKrn,
        request_id: i64,
        response_id: i64,
        attachment_id: i64,
    ) -> DownloadCall {
        let route = route!(
            "/disputes/{dispute_krn}/requests/{request_id}/responses/{response_id}/attachments/{attachment_id}"
        );
        let values = [
            krn.as_str(),
            &request_id.to_string(),
            &response_id.to_string(),
            &attachment_id.to_string(),
        ];
        let operation = self.named(operation(Method::GET, route, &values));
        DownloadCall::new(self.client.shared(), operation, "*/*")
    }

    /// Names the merchant.
    fn named(self, operation: Result<Operation, Error>) -> Result<Operation, Error> {
        let mut operation = operation?;
        let Some(merchant_id) = self.client.merchant_id() else {
            let detail = "the merchant id is not known: see Credentials::of_merchant";
            return Err(Error::invalid(operation.name(), detail));
        };
        let value = HeaderValue::from_str(merchant_id.as_str())
            .map_err(|error| Error::invalid(operation.name(), error.to_string()))?;
        operation.headers.push((HeaderName::from_static(MERCHANT_HEADER), value));
        Ok(operation)
    }
}

impl Sealed for DisputeList {}

impl Page for DisputeList {
    type Item = DisputeDetails;

    fn following(&self, asked: &Asked) -> Following {
        let cursor = &self.pagination.next_page;
        Following(if cursor.is_empty() || self.disputes.is_empty() {
            Next::End
        } else {
            Next::Ask(asked.0.clone().without("next_page").each("next_page", cursor))
        })
    }

    fn into_items(self) -> Vec<DisputeDetails> {
        self.disputes
    }
}
