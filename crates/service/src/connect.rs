//! Connecting to what may be connected to: the resolver and the connector under
//! [`HttpClient`](crate::http::HttpClient).
//!
//! Judged is the very address that is connected to next, so that a name cannot mean one thing when it is
//! judged and another when it is called.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::reach::{Reach, Refused};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answering<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Resolves names, and keeps to itself the addresses that may not be called.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    reach: Reach,
    inner: GaiResolver,
}

impl Resolver {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, inner: GaiResolver::new() }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Answering<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.inner.call(name);
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> = resolving.await?.collect();
            Ok(permitted(reach, found)?.into_iter())
        })
    }
}

/// What may be called of what was found; an error if that is nothing although something was found.
fn permitted(reach: Reach, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
    let refused = found.iter().map(SocketAddr::ip).find(|address| !reach.allows(*address));
    let permitted: Vec<SocketAddr> =
        found.into_iter().filter(|address| reach.allows(address.ip())).collect();
    match refused {
        Some(address) if permitted.is_empty() => Err(Refused { address }),
        _ => Ok(permitted),
    }
}

/// Connects. An address that stands in the URL itself is not resolved, so it is judged here.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    reach: Reach,
    inner: HttpConnector<Resolver>,
}

impl Connector {
    pub(crate) fn new(reach: Reach, inner: HttpConnector<Resolver>) -> Self {
        Self { reach, inner }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Answering<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Some(address) = written_address(&uri)
            && !self.reach.allows(address)
        {
            return Box::pin(async move { Err(Refused { address }.into()) });
        }
        let connecting = self.inner.call(uri);
        Box::pin(async move { Ok(connecting.await?) })
    }
}

/// The address that a URL names directly.
fn written_address(uri: &Uri) -> Option<IpAddr> {
    let host = uri.host()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_called_is_left() {
        let public: SocketAddr = "8.8.8.8:80".parse().unwrap();
        let inside: SocketAddr = "10.0.0.1:80".parse().unwrap();
        assert_eq!(permitted(Reach::Internet, vec![inside, public]), Ok(vec![public]));
        assert_eq!(permitted(Reach::Internet, vec![inside]), Err(Refused { address: inside.ip() }));
        assert_eq!(permitted(Reach::Anywhere, vec![inside]), Ok(vec![inside]));
        assert_eq!(permitted(Reach::Internet, vec![]), Ok(vec![]));
    }

    #[test]
    fn a_written_address_is_seen_in_both_forms() {
        for (uri, expected) in [
            ("http://127.0.0.1:80/a", Some("127.0.0.1")),
            ("http://[::1]/a", Some("::1")),
            ("http://[::ffff:10.0.0.1]:8080/a", Some("::ffff:10.0.0.1")),
            ("http://user@10.0.0.1/", Some("10.0.0.1")),
            ("http://localhost/", None),
            ("http://2130706433/", None),
        ] {
            let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(written_address(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
