//! Klarna's reports of payouts: CSV as a stream, PDF as a document, and what their files are called.
//!
//! A CSV is read from the database and written a page of rows at a time, so that its length costs no
//! memory. A payout's rows are fixed once it is there, so no unit of work has to stay open for it.
//! Who may read which report is decided by whoever asks: every function takes a merchant, and knows
//! nothing of other merchants' payouts.

mod csv;
mod names;
mod pdf;
#[cfg(test)]
mod tests;

pub(crate) use self::csv::{Chunks, Columns, payout_csv, payouts_csv};
pub(crate) use self::names::{FileKind, api_file_name, sftp_file_name};
pub(crate) use self::pdf::{document, payout_pdf, payouts_pdf};
use crate::app::App;
use crate::domain::settlement::SettlementTerms;
use crate::store::StoreError;

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record could not be written.
    #[error("a record of a report cannot be written")]
    Csv(#[from] ::csv::Error),
}

impl From<ReportError> for crate::api::error::ApiError {
    fn from(error: ReportError) -> Self {
        Self::internal(crate::api::error::Chain(&error))
    }
}

/// How a merchant's reports look at present; the usual for a merchant that is gone.
fn terms_of(app: &App, merchant_id: &klarna_types::MerchantId) -> SettlementTerms {
    app.directory()
        .merchant(merchant_id.as_str())
        .map(|merchant| merchant.settings.settlements.clone())
        .unwrap_or_default()
}
