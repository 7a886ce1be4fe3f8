//! What files are called.

use jiff::Timestamp;
use klarna_types::settlements::PaymentReference;

use super::{FileKind, api_file_name, sftp_file_name};
use crate::domain::settlement::FileNames;

#[test]
fn files_are_named_as_klarna_names_them() {
    let reference = PaymentReference::new("123456789");
    let at: Timestamp = "2018-08-09T00:02:26.250Z".parse().unwrap();
    let name = |style, kind| sftp_file_name(style, &reference, at, 0, kind);
    assert_eq!(name(FileNames::Newer, FileKind::Csv), "123456789_20180809T000226_0.csv");
    assert_eq!(name(FileNames::Older, FileKind::Pdf), "123456789.20180809T000000+0000.pdf");
    assert_eq!(api_file_name(&reference, FileKind::Csv), "settlement.123456789.csv");
}
