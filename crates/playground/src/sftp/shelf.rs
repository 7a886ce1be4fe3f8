//! The reports that an account finds: which there are, how long they are, what is in them.
//!
//! Everything is asked for by merchant, and an account names its merchants; nothing here looks further.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::{StreamExt as _, stream};
use klarna_types::MerchantId;
use klarna_types::settlements::PaymentReference;
use parking_lot::Mutex;
use service::Clock as _;

use crate::app::App;
use crate::domain::settlement::ReportTerms;
use crate::domain::sftp::{KEPT_MS, Stage, stage};
use crate::reports::{self, Chunks, Columns, FileKind, ReportError, sftp_file_name};
use crate::store::sftp::{Folder, resent_after};
use crate::store::{StoreError, settlements};

/// How many lengths are remembered.
const REMEMBERED: usize = 4_096;

/// A report on its way to an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Report {
    merchant_id: MerchantId,
    payment_reference: PaymentReference,
    kind: FileKind,
    /// When it was sent, in milliseconds.
    pub(super) sent_at_ms: i64,
}

/// A report, where an account finds it.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// The directory; empty for the root.
    pub(super) directory: String,
    /// The name, which says whether it is complete.
    pub(super) name: String,
    /// What is in it.
    pub(super) report: Report,
}

/// All reports.
#[derive(Clone)]
pub(super) struct Shelf {
    app: App,
    lengths: Arc<Mutex<HashMap<Report, (ReportTerms, u64)>>>,
}

impl Shelf {
    pub(super) fn new(app: App) -> Self {
        Self { app, lengths: Arc::default() }
    }

    /// How far a report is.
    pub(super) fn stage(&self, report: &Report) -> Stage {
        stage(report.sent_at_ms, self.app.clock().now_ms())
    }

    /// The terms on which a merchant gets its reports.
    fn terms(&self, merchant_id: &MerchantId) -> Option<ReportTerms> {
        let merchant = self.app.directory().merchant(merchant_id.as_str())?;
        Some(merchant.settings.settlements.reports.clone())
    }

    /// The files in these folders, in no particular order.
    pub(super) async fn files(&self, folders: &[Folder]) -> Result<Vec<File>, StoreError> {
        let now_ms = self.app.clock().now_ms();
        let mut files = Vec::new();
        for folder in folders {
            let Some(terms) = self.terms(&folder.merchant_id) else { continue };
            for (payment_reference, sent_at_ms, number) in self.sent(folder, now_ms).await? {
                let pdf = terms.sftp_pdf.then_some(FileKind::Pdf);
                for kind in [FileKind::Csv].into_iter().chain(pdf) {
                    let sent_at = jiff::Timestamp::from_millisecond(sent_at_ms).unwrap_or_default();
                    let name =
                        sftp_file_name(terms.file_names, &payment_reference, sent_at, number, kind);
                    let Some(name) = stage(sent_at_ms, now_ms).name(name) else { continue };
                    files.push(File {
                        directory: folder.directory.clone(),
                        name,
                        report: Report {
                            merchant_id: folder.merchant_id.clone(),
                            payment_reference: payment_reference.clone(),
                            kind,
                            sent_at_ms,
                        },
                    });
                }
            }
        }
        Ok(files)
    }

    /// What was sent to a folder: of which payout, when, and how many times before.
    async fn sent(
        &self,
        folder: &Folder,
        now_ms: i64,
    ) -> Result<Vec<(PaymentReference, i64, i64)>, StoreError> {
        // Payouts know whole seconds.
        let since_ms = folder.since_ms.saturating_sub(folder.since_ms.rem_euclid(1_000));
        let merchant_id = folder.merchant_id.clone();
        self.app
            .db()
            .read(move |tx| {
                // Reports from before the account was made are not sent by themselves.
                let first = settlements::deliverable_reports(tx, &merchant_id, now_ms)?
                    .into_iter()
                    .filter(|report| report.generated_at_ms >= since_ms)
                    .map(|report| (report.payment_reference, report.generated_at_ms, 0));
                let after_ms = now_ms.saturating_sub(KEPT_MS);
                let again = resent_after(tx, merchant_id.as_str(), after_ms)?
                    .into_iter()
                    .filter(|sent| sent.sent_at_ms >= since_ms)
                    .map(|sent| {
                        let reference = PaymentReference::new(sent.payment_reference);
                        (reference, sent.sent_at_ms, sent.number)
                    });
                Ok(first.chain(again).collect())
            })
            .await
    }

    /// How many bytes a report has. A report is written once to be measured; the result is remembered for
    /// as long as the merchant's terms are the same.
    pub(super) async fn length(&self, report: &Report) -> Result<u64, ReportError> {
        let terms = self.terms(&report.merchant_id).unwrap_or_default();
        if let Some((measured_by, length)) = self.lengths.lock().get(report)
            && *measured_by == terms
        {
            return Ok(*length);
        }
        let mut length = 0_u64;
        let mut chunks = self.open(report).await?;
        while let Some(chunk) = chunks.next().await {
            length = length.saturating_add(u64::try_from(chunk?.len()).unwrap_or(u64::MAX));
        }
        let mut lengths = self.lengths.lock();
        if lengths.len() >= REMEMBERED {
            lengths.clear();
        }
        lengths.insert(report.clone(), (terms, length));
        Ok(length)
    }

    /// What is in a report, from its beginning; nothing when its payout is gone.
    pub(super) async fn open(&self, report: &Report) -> Result<Chunks, ReportError> {
        let Report { merchant_id, payment_reference, kind, .. } = report;
        let chunks = match kind {
            FileKind::Csv => {
                reports::payout_csv(&self.app, merchant_id, payment_reference, Columns::Sftp)
                    .await?
            }
            FileKind::Pdf => {
                let document =
                    reports::payout_pdf(&self.app, merchant_id, payment_reference).await?;
                document.map(|bytes: Bytes| -> Chunks {
                    Box::pin(stream::once(async move { Ok(bytes) }))
                })
            }
        };
        Ok(chunks.unwrap_or_else(|| Box::pin(stream::empty())))
    }
}
