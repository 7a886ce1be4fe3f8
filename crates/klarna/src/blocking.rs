//! For programs without async: a runtime of one's own that makes calls and waits for them.
//!
//! Everything else is the same: build calls with [`Client`](crate::Client) as everywhere, and give them to [`Blocking`].
//!
//! ```no_run
//! use klarna::blocking::Blocking;
//! use klarna::{Client, OrderId, PayoutFilter};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! let blocking = Blocking::new()?;
//! let order = blocking.wait(client.orders().get(&OrderId::new("f5f4…")))?;
//! println!("{}", order.remaining_authorized_amount);
//! for payout in blocking.iter(client.settlements().payouts(&PayoutFilter::new()).items()) {
//!     println!("{}", payout?.payment_reference);
//! }
//! # Ok(())
//! # }
//! ```

use std::future::IntoFuture;
use std::io;
use std::pin::Pin;

use futures_core::Stream;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Runtime;

use crate::download::{Download, DownloadReader};

/// Makes calls and waits for them. May be shared by threads. Must not be used inside an async runtime.
#[derive(Debug)]
pub struct Blocking {
    runtime: Runtime,
}

impl Blocking {
    /// Starts a runtime with one thread, which also keeps connections alive between calls.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("klarna")
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self { runtime })
    }

    /// Makes a call, or whatever else can be awaited, and waits for what comes of it.
    pub fn wait<F: IntoFuture>(&self, call: F) -> F::Output {
        self.runtime.block_on(call.into_future())
    }

    /// A stream as an iterator: a list's items, a report's rows, the changes of something that is watched.
    pub fn iter<S: Stream + Unpin>(&self, stream: S) -> Iter<'_, S> {
        Iter { blocking: self, stream }
    }

    /// A download as something to read from.
    pub fn reader(&self, download: Download) -> Reader<'_> {
        Reader { blocking: self, reader: download.into_reader() }
    }
}

/// A stream as an iterator. From [`Blocking::iter`].
#[derive(Debug)]
pub struct Iter<'b, S> {
    blocking: &'b Blocking,
    stream: S,
}

impl<S: Stream + Unpin> Iterator for Iter<'_, S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let stream = &mut self.stream;
        let next = std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context));
        self.blocking.runtime.block_on(next)
    }
}

/// A download as something to read from. From [`Blocking::reader`].
#[derive(Debug)]
pub struct Reader<'b> {
    blocking: &'b Blocking,
    reader: DownloadReader,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blocking.runtime.block_on(self.reader.read(buffer))
    }
}
