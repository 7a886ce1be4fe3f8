//! A dispute as version 3 shows it.

use klarna_types::disputes::v3;

use super::{Dispute, Request, Stage};

impl Stage {
    /// In the words of version 3.
    pub(crate) fn state_v3(self) -> v3::DisputeState {
        match self {
            Self::Opened => v3::DisputeState::PreArbitration,
            Self::Initiated => v3::DisputeState::MerchantEvidencePending,
            Self::Representment | Self::Arbitration => v3::DisputeState::ArbitrationPending,
            Self::PreArbitration => v3::DisputeState::ArbitrationAppealOpen,
            Self::Closed => v3::DisputeState::Closed,
        }
    }
}

impl Dispute {
    /// The whole dispute.
    pub(crate) fn view_v3(&self) -> v3::Dispute {
        let context = (self.stage == Stage::Initiated).then(|| v3::StateContext {
            evidence_request_type: Some("MERCHANT_EVIDENCE".to_owned()),
            evidence_response_deadline_at: self.deadline,
        });
        let evidence = (1_i64..)
            .zip(&self.requests)
            .map(|(number, request)| self.evidence_v3(number, request))
            .collect();
        v3::Dispute {
            payment_dispute_id: self.id(),
            dispute_reason: self.reason.v3(),
            state: self.stage.state_v3(),
            previous_state: self.previous.map(Stage::state_v3),
            state_context: context,
            payment_transaction_id: Some(self.subject.order_id.clone()),
            payment_capture_id: self.subject.capture_id.clone(),
            payment_transaction_reference: self.subject.merchant_reference1.clone(),
            purchase_reference: self.subject.merchant_reference1.clone(),
            payment_product_instance_id: Some(self.product_id()),
            dispute_details: Some(v3::DisputeDetails {
                dispute_amount: Some(self.amount),
                currency: Some(self.subject.currency.clone()),
                created_by: Some(self.reason.creator()),
            }),
            merchant_evidence: Some(evidence),
            created_at: Some(self.created_at),
            closed_at: self.closed_at(),
        }
    }

    fn evidence_v3(&self, number: i64, request: &Request) -> v3::MerchantEvidence {
        let response = request.responses.first().map(|response| v3::EvidenceResponse {
            created_at: Some(response.at),
            additional_information: response.comment.clone(),
            attachments: Some(
                response
                    .files
                    .iter()
                    .map(|file| v3::EvidenceAttachment {
                        payment_dispute_attachment_id: Some(self.attachment_id(file.number)),
                        description: file.description.clone(),
                    })
                    .collect(),
            ),
        });
        v3::MerchantEvidence {
            payment_dispute_merchant_evidence_id: Some(format!(
                "{}:merchant-evidence:{number}",
                self.id()
            )),
            request: Some(v3::EvidenceRequest {
                created_at: Some(request.at),
                state: Some("EVIDENCE_REQUESTED".to_owned()),
                comment: Some(request.comment.clone()),
            }),
            response,
        }
    }
}
