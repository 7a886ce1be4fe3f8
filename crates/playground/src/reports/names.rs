//! What the files of reports are called.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use klarna_types::settlements::PaymentReference;

use crate::domain::settlement::FileNames;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    /// Totals and transactions.
    Csv,
    /// A document for people.
    Pdf,
}

impl FileKind {
    /// What stands after the last dot.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Pdf => "pdf",
        }
    }
}

/// The name that the API and the portal give: `settlement.XISA93DJ.csv`.
pub(crate) fn api_file_name(payment_reference: &PaymentReference, kind: FileKind) -> String {
    format!("settlement.{payment_reference}.{}", kind.extension())
}

/// The name on the SFTP server: `123456789_20180809T000226_0.csv`, whose last number counts how often the
/// report was sent before; or by the older rule `123456789.20180809T000000+0000.csv`, which knows only
/// the day.
pub(crate) fn sftp_file_name(
    style: FileNames,
    payment_reference: &PaymentReference,
    generated_at: Timestamp,
    number: i64,
    kind: FileKind,
) -> String {
    let extension = kind.extension();
    let at = generated_at.to_zoned(TimeZone::UTC);
    match style {
        FileNames::Newer => {
            format!("{payment_reference}_{}_{number}.{extension}", at.strftime("%Y%m%dT%H%M%S"))
        }
        FileNames::Older => {
            format!("{payment_reference}.{}T000000+0000.{extension}", at.strftime("%Y%m%d"))
        }
    }
}
