//! Downloads and reports are read as they arrive: what is in memory does not grow with them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::common::script::{Script, Step};
use bytes::Bytes;
use http::Response;
use hyper::body::{Body, Frame};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klarna::report::ReportParser;
use klarna::types::settlements::report::Record;
use klarna::{Client, Credentials, ErrorKind, PaymentReference, Period};
use tokio::io::AsyncReadExt as _;

const PIECE: usize = 64 * 1024;

/// A body of so many pieces, each made when it is asked for.
struct Endless {
    piece: Bytes,
    left: u64,
    made: Arc<AtomicU64>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.made.fetch_add(self.piece.len() as u64, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
    }
}

/// A client whose every call is answered with such a body.
fn endless(piece: Bytes, pieces: u64) -> (Client, Arc<AtomicU64>) {
    let made = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&made);
    let transport = tower::service_fn(move |_request| {
        let body = Endless { piece: piece.clone(), left: pieces, made: Arc::clone(&counter) };
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let client = Client::builder(Credentials::api_key("k")).transport(transport).build().unwrap();
    (client, made)
}

fn reference() -> PaymentReference {
    PaymentReference::from("XISA93DJ")
}

fn march() -> Period {
    Period::days(jiff::civil::date(2026, 3, 1), jiff::civil::date(2026, 3, 31)).unwrap()
}

#[tokio::test]
async fn two_hundred_megabytes_pass_one_piece_at_a_time() {
    let pieces = 200 * 1024 * 1024 / PIECE as u64;
    let (client, made) = endless(Bytes::from(vec![7; PIECE]), pieces);
    let mut download = client.settlements().payout_pdf(&reference()).await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 0, "nothing is read before it is asked for");
    let mut taken = 0;
    while let Some(piece) = download.next().await {
        taken += piece.unwrap().len() as u64;
        assert_eq!(made.load(Ordering::SeqCst), taken, "no piece is read ahead");
    }
    assert_eq!(taken, 200 * 1024 * 1024);
}

#[tokio::test]
async fn a_slow_reader_holds_the_other_side_back() {
    // Over a real connection, where the operating system has buffers of its own.
    let made = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&made);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |_request| {
            let body =
                Endless { piece: vec![7; PIECE].into(), left: 3200, made: Arc::clone(&counter) };
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        server.serve_connection(TokioIo::new(stream), service).await.unwrap();
    });
    let builder = Client::builder(Credentials::api_key("k"));
    let client = builder.base_url(&format!("http://{address}")).unwrap().build().unwrap();
    let mut download = client.settlements().payout_pdf(&reference()).await.unwrap();
    let (mut taken, mut ahead) = (0, 0);
    while let Some(piece) = download.next().await {
        taken += piece.unwrap().len() as u64;
        ahead = ahead.max(made.load(Ordering::SeqCst) - taken);
    }
    assert_eq!(taken, 200 * 1024 * 1024);
    assert!(ahead < 20 * 1024 * 1024, "{ahead} bytes were under way");
}

#[tokio::test]
async fn rows_are_read_as_they_are_needed() {
    let head = "type;amount;posting_currency;merchant_reference1\n";
    let row = "SALE;100.00;EUR;\"WEB;1\"\n";
    let (client, made) = endless(format!("{head}{}", row.repeat(1000)).into(), 100);
    let mut rows = client.settlements().rows(march());
    let mut count: u64 = 0;
    while let Some(row) = rows.next().await {
        let Record::Transaction(row) = row.unwrap() else { panic!("only transactions") };
        assert_eq!(row.amount.get(), 10_000);
        count += 1;
        let needed = count.div_ceil(1000) * (head.len() + row_bytes()) as u64;
        assert_eq!(made.load(Ordering::SeqCst), needed, "no piece is read ahead");
    }
    assert_eq!(count, 100_000);
}

fn row_bytes() -> usize {
    "SALE;100.00;EUR;\"WEB;1\"\n".len() * 1000
}

#[tokio::test]
async fn a_reader_and_a_writer_get_every_byte() {
    let (client, _) = endless(Bytes::from_static(b"abc"), 3);
    let settlements = client.settlements();
    let mut text = String::new();
    let download = settlements.payout_csv(&reference()).await.unwrap();
    download.into_reader().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "abcabcabc");
    let mut written = Vec::new();
    let download = settlements.payouts_csv(march()).await.unwrap();
    assert_eq!(download.write_to(&mut written).await.unwrap(), 9);
    assert_eq!(written, b"abcabcabc");
    let download = settlements.payouts_pdf(march()).await.unwrap();
    assert_eq!(download.bytes(9).await.unwrap(), "abcabcabc");
    let download = settlements.payouts_pdf(march()).await.unwrap();
    let error = download.bytes(8).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("larger than 8 bytes"), "{error}");
}

#[tokio::test]
async fn what_comes_with_a_download_is_told() {
    let headers = "Content-Type: text/csv\r\nKlarna-Correlation-Id: corr-1\r\n\
        Content-Disposition: attachment; filename=\"settlement.XISA93DJ.csv\"\r\n";
    let script = Script::play([Step::Answer(200, headers, "type\n")]).await;
    let download = script.client().settlements().payout_csv(&reference()).await.unwrap();
    assert_eq!(download.content_type(), Some("text/csv"));
    assert_eq!(download.file_name(), Some("settlement.XISA93DJ.csv"));
    assert_eq!(download.len(), Some(5));
    assert_eq!(download.meta().correlation_id.as_ref().unwrap().as_str(), "corr-1");
    let seen = &script.seen()[0];
    let path = "/settlements/v1/reports/payout-with-transactions?payment_reference=XISA93DJ";
    assert_eq!(seen.line, format!("GET {path}"));
    assert_eq!(seen.header("accept"), Some("text/csv"));
}

#[tokio::test]
async fn a_download_is_begun_again_but_not_taken_up_in_the_middle() {
    let unavailable = Step::Answer(503, "", "");
    let script = Script::play([unavailable, Step::Close, Step::Truncate(200)]).await;
    let mut download = script.client().settlements().payout_csv(&reference()).await.unwrap();
    assert_eq!(download.meta().tries, 3);
    // The answer promises more than comes.
    let mut read = 0;
    let error = loop {
        match download.next().await.unwrap() {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(read > 0);
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Interrupted, 3));
    assert!(error.is_retryable() && !error.outcome_unknown());
    assert!(download.next().await.is_none());
    // Rows, too, end with the error.
    let script = Script::play([Step::Truncate(200)]).await;
    let mut rows = script.client().settlements().payout_rows(&reference());
    assert_eq!(rows.next().await.unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(rows.next().await.is_none());
}

#[tokio::test]
async fn a_download_that_stops_coming_is_given_up() {
    let script = Script::play([Step::StallInBody]).await;
    let builder = script.builder().stall_timeout(Duration::from_millis(50));
    let mut download =
        builder.build().unwrap().settlements().payout_csv(&reference()).await.unwrap();
    assert_eq!(download.next().await.unwrap().unwrap(), "{");
    let error = download.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the answer stopped coming"), "{error}");
}

#[tokio::test]
async fn refusals_of_downloads_are_errors_like_others() {
    let body = r#"{"error_code":"NOT_FOUND","error_messages":["gone"],"correlation_id":"c"}"#;
    let answer = Step::Answer(404, "Content-Type: text/csv\r\n", body);
    let script = Script::play([answer.clone(), answer]).await;
    let client = script.client();
    let error = client.settlements().payout_csv(&reference()).await.unwrap_err();
    assert!(error.is_not_found() && error.messages() == ["gone"]);
    let mut rows = client.settlements().payout_rows(&reference());
    assert!(rows.next().await.unwrap().unwrap_err().is_not_found());
    // What is no report is told with its place.
    let script = Script::play([Step::Answer(200, "", "type;amount\nSALE;ten\n")]).await;
    let mut rows = script.client().settlements().payout_rows(&reference());
    let error = rows.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("record 2"), "{error}");
}

#[test]
fn a_report_in_a_file_is_read_likewise() {
    let mut parser = ReportParser::default();
    let records = parser.push(b"type;amount;posting_currency\nSALE;1.00;EUR\n").unwrap();
    assert!(matches!(&records[..], [Record::Transaction(_)]));
}
