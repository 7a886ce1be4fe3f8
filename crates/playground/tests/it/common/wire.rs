//! HTTP as it stands on the wire, over any stream: for what a well-behaved client never sends.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What came back over HTTP/1.1.
#[derive(Debug)]
pub struct Raw {
    /// The status line and the headers, in lower case.
    pub head: String,
    /// What followed.
    pub body: Vec<u8>,
}

impl Raw {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap_or_default().parse().unwrap()
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Reads one answer; of its body what its `Content-Length` says.
pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Raw {
    let mut received = Vec::new();
    let end = loop {
        if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let count = stream.read_buf(&mut received).await.unwrap();
        assert_ne!(count, 0, "no answer but {:?}", String::from_utf8_lossy(&received));
    };
    let mut body = received.split_off(end);
    let head = String::from_utf8(received).unwrap().to_lowercase();
    let mut raw = Raw { head, body: Vec::new() };
    let length = raw.header("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "the answer broke off: {raw:?}");
    }
    raw.body = body;
    raw
}

/// Writes `request` as it is and reads the answer.
pub async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: impl AsRef<[u8]>,
) -> Raw {
    stream.write_all(request.as_ref()).await.unwrap();
    read_answer(stream).await
}

/// One request over HTTP/2 on a connection of its own.
pub async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(1024 * 1024)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
}
