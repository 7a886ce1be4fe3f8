//! A dispute as version 4 shows it.

use klarna_types::disputes as wire;
use klarna_types::disputes::v2::InvestigationStatus;
use klarna_types::disputes::{
    BaseFramework, DisputeOutcome, FileType, HoldPolicy, PaymentDisputeAttachmentId,
    ProcessExceptionReason, RepresentmentState,
};

use super::{
    Appeal, ClosedBy, Dispute, Exception, File, Framework, Hold, Request, Response, Stage,
    region_code,
};

/// Where files and the like are found: the playground's own base URL.
type Base<'a> = &'a str;

impl Dispute {
    /// The name of a file of the merchant's.
    pub(crate) fn attachment_id(&self, number: i64) -> PaymentDisputeAttachmentId {
        PaymentDisputeAttachmentId::new(format!("{}:attachment:{number}", self.id()))
    }

    /// The name of the shopper's file.
    pub(crate) fn customer_file_id(&self) -> PaymentDisputeAttachmentId {
        PaymentDisputeAttachmentId::new(format!("{}:customer-evidence:1", self.id()))
    }

    /// The order, in the words of Klarna's network.
    pub(crate) fn payment_transaction_id(&self) -> String {
        let region = region_code(&self.subject.country);
        format!("krn:payment:{region}:transaction:{}", self.subject.order_id)
    }

    /// The capture, in the words of Klarna's network.
    pub(super) fn payment_capture_id(&self) -> Option<String> {
        let capture_id = self.subject.capture_id.as_ref()?;
        Some(format!("{}:capture:{capture_id}", self.payment_transaction_id()))
    }

    /// The capture, as a resource name.
    pub(super) fn capture_krn(&self) -> Option<String> {
        let capture_id = self.subject.capture_id.as_ref()?;
        Some(format!("krn:klarna:{}:capture:{capture_id}", region_code(&self.subject.country)))
    }

    /// The merchant's account.
    pub(super) fn payment_account_id(&self) -> String {
        format!("krn:partner:global:payment-account:test:{}", self.subject.merchant_id)
    }

    /// The whole dispute.
    pub(crate) fn view(&self, base: Base<'_>) -> wire::Dispute {
        let state = self.stage.state();
        let representment = self.representment(base);
        let initiated = matches!(self.stage, Stage::Opened | Stage::Initiated);
        let context = match self.stage {
            // Nothing is asked in the time to settle.
            Stage::Opened => Some(wire::StateContext::new()),
            Stage::Initiated => {
                Some(wire::StateContext::new().representment(representment.clone()))
            }
            Stage::Representment => {
                let mut context = wire::StateContext::new();
                context.partner_evidence = self.partner_evidence(base);
                Some(context)
            }
            Stage::PreArbitration => {
                let mut context = wire::StateContext::new();
                context.arbitration_expires_at = self.until;
                Some(context)
            }
            Stage::Arbitration => None,
            Stage::Closed => self.closing.as_ref().map(|closing| {
                wire::StateContext::new()
                    .dispute_outcome(closing.outcome.clone())
                    .dispute_outcome_detailed(closing.detailed.clone())
                    .closed_at(closing.at)
            }),
        };
        let exceptions: Vec<_> = self.exceptions.iter().map(Exception::view).collect();
        wire::Dispute {
            payment_dispute_id: self.id(),
            dispute_reason: self.reason.v4(),
            state,
            previous_state: if initiated { None } else { self.previous.map(Stage::state) },
            order_id: Some(self.subject.order_id.clone()),
            payment_transaction_id: Some(self.payment_transaction_id()),
            payment_account_id: Some(self.payment_account_id()),
            dispute_details: Some(self.details()),
            capture_id: self.subject.capture_id.clone(),
            capture_krn: self.capture_krn(),
            payment_capture_id: self.payment_capture_id(),
            payment_capture_reference: self.subject.capture_reference.clone(),
            payment_transaction_reference: self.subject.merchant_reference1.clone(),
            purchase_reference: self.subject.merchant_reference1.clone(),
            merchant_reference2: self.subject.merchant_reference2.clone(),
            product_id: Some(self.product_id()),
            payment_account_reference: None,
            partner_account_id: None,
            state_context: context,
            representment: (!initiated).then_some(representment),
            arbitration: self.arbitration(base),
            customer_evidences: self.customer_evidences(base),
            process_exceptions: (!exceptions.is_empty()).then_some(exceptions),
            configuration: Some(self.configuration()),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
        }
    }

    pub(super) fn product_id(&self) -> String {
        format!("krn:partner:product:payment:{}", self.subject.merchant_id)
    }

    pub(super) fn details(&self) -> wire::DisputeDetails {
        wire::DisputeDetails::new(self.amount, self.subject.currency.clone())
            .created_by(self.reason.creator())
    }

    pub(super) fn representment(&self, base: Base<'_>) -> wire::Representment {
        let asked = self.requests.last();
        wire::Representment {
            state: Some(self.evidence.clone()),
            previous_state: self.evidence_before.clone().filter(|before| {
                *before != RepresentmentState::EvidenceReceived || asked.is_some()
            }),
            expires_at: self.deadline,
            request: asked.map(Request::view),
            partner_evidence: self.partner_evidence(base),
        }
    }

    /// The last answer, with the files of all that was added to it.
    pub(super) fn partner_evidence(&self, base: Base<'_>) -> Option<wire::PartnerEvidence> {
        let request = self.requests.iter().rfind(|request| !request.responses.is_empty())?;
        let first = request.responses.first()?;
        let files = request.responses.iter().flat_map(|response| &response.files);
        let words: Vec<&str> = request
            .responses
            .iter()
            .filter_map(|response: &Response| response.comment.as_deref())
            .collect();
        Some(wire::PartnerEvidence {
            created_at: Some(first.at),
            additional_information: (!words.is_empty()).then(|| words.join("\n")),
            attachments: Some(files.map(|file| self.file(file, base)).collect()),
            partner_proposed_refund_amount: self.proposed_refund(),
        })
    }

    fn file(&self, file: &File, base: Base<'_>) -> wire::Attachment {
        let id = self.attachment_id(file.number);
        wire::Attachment {
            url: Some(self.download_url(id.as_str(), base)),
            payment_dispute_attachment_id: id,
            description: file.description.clone(),
            mime_type: Some(file.mime_type.clone()),
        }
    }

    fn download_url(&self, id: &str, base: Base<'_>) -> String {
        format!("{base}/v4/payment/disputes/{}/attachments/{id}/download", self.id())
    }

    pub(super) fn arbitration(&self, base: Base<'_>) -> Option<wire::Arbitration> {
        let detailed = self.preliminary.clone()?;
        let mut arbitration = wire::Arbitration::new()
            .preliminary_outcome(DisputeOutcome::Lost)
            .preliminary_outcome_detailed(detailed);
        arbitration.arbitration_request =
            self.appeal.as_ref().map(|appeal| self.appeal_view(appeal, base));
        Some(arbitration)
    }

    pub(super) fn appeal_view(&self, appeal: &Appeal, base: Base<'_>) -> wire::ArbitrationRequest {
        let files: Vec<_> = appeal.files.iter().map(|file| self.file(file, base)).collect();
        wire::ArbitrationRequest {
            requested_at: Some(appeal.at),
            additional_information: Some(appeal.text.clone()),
            attachments: (!files.is_empty()).then_some(files),
        }
    }

    fn customer_evidences(&self, base: Base<'_>) -> Option<Vec<wire::CustomerEvidence>> {
        let kind: FileType = self.customer_file()?;
        let id = self.customer_file_id();
        let file = wire::CustomerFile::new()
            .url(self.download_url(id.as_str(), base))
            .mime_type(kind.mime_type())
            .description("What the customer has shown");
        let evidence =
            wire::CustomerEvidence::new().payment_dispute_customer_evidence_id(id).attachment(file);
        Some(vec![evidence])
    }

    fn configuration(&self) -> wire::Configuration {
        let framework = match self.framework {
            Framework::F2020 => BaseFramework::Framework2020,
            Framework::F2026 => BaseFramework::Framework2026,
        };
        let hold = match self.terms.hold {
            Hold::None => HoldPolicy::None,
            Hold::OnDisputeInitiated => HoldPolicy::OnDisputeInitiated,
        };
        let options = wire::ConfigurationOptions::new().hold_policy(hold);
        wire::Configuration::new().base_framework(framework).options(options)
    }
}

/// How far Klarna's investigation has come, in the words of version 2.
pub(crate) fn status_of(dispute: &Dispute) -> InvestigationStatus {
    match (dispute.stage, dispute.closing.as_ref().map(|closing| closing.by)) {
        (_, Some(ClosedBy::AcceptedLoss)) => InvestigationStatus::LossAccepted,
        (_, Some(ClosedBy::Expiry)) => InvestigationStatus::DeadlineExpired,
        (_, Some(ClosedBy::Decision | ClosedBy::Settlement | ClosedBy::Withdrawal))
        | (Stage::Closed, None) => InvestigationStatus::Closed,
        (Stage::Opened, None) => InvestigationStatus::Opened,
        (Stage::Initiated, None) => InvestigationStatus::Unresolved,
        (Stage::Representment | Stage::PreArbitration | Stage::Arbitration, None) => {
            InvestigationStatus::Replied
        }
    }
}

impl Request {
    fn view(&self) -> wire::RepresentmentRequest {
        wire::RepresentmentRequest::new()
            .requested_at(self.at)
            .additional_information(self.comment.as_str())
    }
}

impl Exception {
    fn view(&self) -> wire::ProcessException {
        let description = match self.reason {
            ProcessExceptionReason::FraudulentPartner => {
                "Defense period skipped as the partner has been identified as engaging in fraudulent \
                 activities"
            }
            ProcessExceptionReason::DisputeMisHandled => {
                "The dispute was handled wrongly before, so it does not follow the usual process"
            }
            ProcessExceptionReason::RegulatoryRequirement => {
                "A regulation asks for more time than the usual process has"
            }
            _ => "The dispute does not follow the usual process",
        };
        wire::ProcessException::new(self.kind.clone())
            .reason(self.reason.clone())
            .description(description)
    }
}
