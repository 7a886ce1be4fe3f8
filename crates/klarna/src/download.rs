//! Answers that are read while they arrive: reports and files. No more of them is in memory than the piece that was
//! asked for last; when nobody asks, nothing is taken from the connection.

use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use hyper::body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::engine::{Operation, Shared};
use crate::error::{Circumstances, Error, Outcome};
use crate::response::Meta;
use crate::retry::{Repeat, RetryPolicy};
use crate::transport::{BoxError, ResponseBody};

/// A download that is ready to be begun: await it, or give it options first.
#[must_use = "a download begins when it is awaited"]
pub struct DownloadCall {
    shared: Arc<Shared>,
    operation: Result<Operation, Error>,
}

impl DownloadCall {
    pub(crate) fn new(
        shared: Arc<Shared>,
        operation: Result<Operation, Error>,
        accept: &'static str,
    ) -> Self {
        let operation = operation.map(|mut operation| {
            operation.accept = accept;
            operation
        });
        Self { shared, operation }
    }

    /// How long it may take until the answer begins, all tries included. What follows may take as long as it likes, as
    /// long as it does not stall ([`crate::ClientBuilder::stall_timeout`]).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.deadline = Some(deadline);
        }
        self
    }

    /// How often it is tried, instead of what the client was built with. An answer that has begun is not tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.policy = Some(policy);
        }
        self
    }

    /// Begins the download.
    pub async fn send(self) -> Result<Download, Error> {
        let operation = self.operation?;
        let (answer, body) = self.shared.open(&operation).await?;
        let stall_timeout = self.shared.core.stall_timeout;
        Ok(Download {
            body,
            call: operation.name(),
            repeat: operation.repeat,
            meta: answer.meta,
            content_type: text(&answer.headers, &CONTENT_TYPE),
            file_name: text(&answer.headers, &CONTENT_DISPOSITION)
                .and_then(|disposition| file_name(&disposition)),
            length: text(&answer.headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            stall_timeout,
            stalled: Box::pin(sleep_until(Instant::now() + stall_timeout)),
            ended: Ended::No,
        })
    }
}

impl IntoFuture for DownloadCall {
    type Output = Result<Download, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// The name that `attachment; filename="settlement.XISA93DJ.csv"` suggests, without any folder.
fn file_name(disposition: &str) -> Option<String> {
    let name = disposition
        .split(';')
        .find_map(|part| part.trim().strip_prefix("filename="))?
        .trim()
        .trim_matches('"');
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Yes,
    No,
}

/// An answer that has begun: a [`Stream`] of its bytes.
///
/// ```
/// # async fn example(client: klarna::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let reference = klarna::PaymentReference::from("XISA93DJ");
/// let download = client.settlements().payout_pdf(&reference).await?;
/// let mut file = tokio::fs::File::create("payout.pdf").await?;
/// download.write_to(&mut file).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Download {
    body: ResponseBody,
    call: String,
    repeat: Repeat,
    meta: Meta,
    content_type: Option<String>,
    file_name: Option<String>,
    length: Option<u64>,
    stall_timeout: Duration,
    stalled: Pin<Box<Sleep>>,
    ended: Ended,
}

impl Download {
    /// What came with the answer.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// What kind of file it is, if the answer says it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// What the file is called, if the answer says it; never with a folder.
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// How many bytes it has in all, if the answer says it.
    pub fn len(&self) -> Option<u64> {
        self.length
    }

    /// Whether it is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == Some(0)
    }

    /// The next piece. The same as what the [`Stream`] gives, for those who do not import a trait for it.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All of it, if it is not larger than `max_bytes`.
    pub async fn bytes(mut self, max_bytes: usize) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if whole.len() + piece.len() > max_bytes {
                let detail = format!("the answer is larger than {max_bytes} bytes");
                let circumstances = self.circumstances();
                return Err(Error::decode(circumstances, Some(self.meta.clone()), detail, None));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Writes all of it, and says how many bytes that was. A download that fails is an [`io::Error`] with the
    /// [`Error`] inside.
    pub async fn write_to<W: AsyncWrite + Unpin>(mut self, writer: &mut W) -> io::Result<u64> {
        let mut written = 0;
        while let Some(piece) = self.next().await {
            let piece = piece.map_err(io::Error::other)?;
            writer.write_all(&piece).await?;
            written += piece.len() as u64;
        }
        writer.flush().await?;
        Ok(written)
    }

    /// The same as something to read from.
    pub fn into_reader(self) -> DownloadReader {
        DownloadReader { download: self, rest: Bytes::new() }
    }

    pub(crate) fn circumstances(&self) -> Circumstances {
        Circumstances {
            call: self.call.clone(),
            idempotency_key: None,
            tries: self.meta.tries,
            repeat: self.repeat,
            outcome: Outcome::Known,
        }
    }

    fn fail(&mut self, detail: &str, source: Option<BoxError>) -> Error {
        self.ended = Ended::Yes;
        Error::cut_off(self.circumstances(), self.meta.clone(), detail, source)
    }
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        if self.ended == Ended::Yes {
            return Poll::Ready(None);
        }
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // A piece came: the next one has its own time. A reader that was slow itself is not blamed for it.
                    let until = Instant::now() + self.stall_timeout;
                    self.stalled.as_mut().reset(until);
                    match frame.into_data() {
                        Ok(data) if data.is_empty() => {}
                        Ok(data) => return Poll::Ready(Some(Ok(data))),
                        // Trailers.
                        Err(_) => {}
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let detail = "the connection was lost before the whole answer came";
                    return Poll::Ready(Some(Err(self.fail(detail, Some(error)))));
                }
                Poll::Ready(None) => {
                    self.ended = Ended::Yes;
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    ready!(self.stalled.as_mut().poll(context));
                    let detail = "the answer stopped coming";
                    return Poll::Ready(Some(Err(self.fail(detail, None))));
                }
            }
        }
    }
}

/// A [`Download`] as something to read from.
#[derive(Debug)]
pub struct DownloadReader {
    download: Download,
    rest: Bytes,
}

impl AsyncRead for DownloadReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.download).poll_next(context)) {
                Some(Ok(piece)) => self.rest = piece,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_no_folders() {
        for (disposition, name) in [
            (r#"attachment; filename="settlement.XISA93DJ.csv""#, Some("settlement.XISA93DJ.csv")),
            ("attachment; filename=a.pdf", Some("a.pdf")),
            (r#"attachment; filename="../../etc/passwd""#, Some("passwd")),
            (r#"attachment; filename="c:\a.pdf""#, Some("a.pdf")),
            (r#"attachment; filename="..""#, None),
            ("attachment", None),
        ] {
            assert_eq!(file_name(disposition).as_deref(), name, "{disposition}");
        }
    }
}
