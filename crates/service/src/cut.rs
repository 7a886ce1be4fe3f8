//! Ending a connection on purpose, without an answer.
//!
//! A handler that wants the wire to break finds a [`Cut`] among its request's extensions. Everything on
//! that connection ends with it, other streams of HTTP/2 included, as when a cable is pulled.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// The means to end a connection. Clones end the same one.
#[derive(Debug, Clone, Default)]
pub struct Cut(Arc<State>);

#[derive(Debug, Default)]
struct State {
    wanted: Notify,
    reset: AtomicBool,
}

impl Cut {
    /// Closes the connection: the other side sees its orderly end where an answer should be.
    pub fn close(&self) {
        self.0.wanted.notify_one();
    }

    /// Breaks the connection: the other side sees it reset.
    pub fn reset(&self) {
        self.0.reset.store(true, Ordering::Release);
        self.0.wanted.notify_one();
    }

    /// Returns when somebody wants the connection to end. Whoever drives the connection waits for
    /// this too, and then drops it.
    pub async fn wanted(&self) {
        self.0.wanted.notified().await;
    }
}

/// A stream that is reset instead of closed when that is wanted.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl Wire {
    /// The stream, under the power of `cut`.
    pub fn new(stream: TcpStream, cut: Cut) -> Self {
        Self { stream, cut }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.0.reset.load(Ordering::Acquire) {
            // Should it fail, the connection is closed instead.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
