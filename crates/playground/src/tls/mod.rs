//! HTTPS: under `localhost`, or under Klarna's own host names, so that an unmodified program that was
//! made to reach us instead of Klarna meets the host it asked for.
//!
//! Each name is a site of its own over the same playground: the URLs in its answers begin with its
//! name. Clients have to name the host when they connect (SNI), as at Klarna. The control API keeps
//! its own rules: under Klarna's names it does not answer without a control token.

mod authority;
mod hosts;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use axum::middleware;
use axum::response::Response;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use service::server::{BindError, Sites};
use service::{Clock as _, Listener, Readiness, Server, Shutdown, SystemClock};
use url::Url;

pub use self::authority::{Authority, AuthorityError};
use crate::api;
use crate::app::App;

/// As recorded at Klarna's API hosts.
const STRICT: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Which names are answered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `localhost`, at whatever port.
    Localhost,
    /// Klarna's own, at the port of HTTPS as far as the callers know.
    Klarna,
}

impl Names {
    /// The host names.
    pub fn hosts(self) -> Vec<&'static str> {
        match self {
            Self::Localhost => vec!["localhost"],
            Self::Klarna => hosts::all().collect(),
        }
    }

    /// The URL of a host, as its callers write it.
    fn url(self, host: &str, port: u16) -> String {
        match self {
            Self::Localhost => format!("https://{host}:{port}"),
            Self::Klarna => format!("https://{host}"),
        }
    }
}

/// HTTPS could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The port could not be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There are no certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The public URL cannot be formed.
    #[error("the URL under which HTTPS is reached is not valid")]
    Url(#[from] url::ParseError),
}

/// Opens the door.
pub(crate) async fn open(
    app: &App,
    readiness: &Readiness,
    listen: SocketAddr,
    names: Names,
    authority: &Authority,
    shutdown: Shutdown,
) -> Result<Server, TlsError> {
    let listener = Listener::bind(listen).await?;
    let address = listener.address();
    // Whoever checks the certificate does so by the machine's clock, not by the playground's.
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (mut certificates, mut routers) = (HashMap::new(), Vec::new());
    for host in names.hosts() {
        certificates.insert(host.to_owned(), authority.certify(host, today)?);
        let site = app.under(Url::parse(&names.url(host, address.port()))?, address);
        let mut router = api::router(&site, readiness);
        if names == Names::Klarna {
            // A browser remembers it for the host, so `localhost` must not say it.
            router = router.layer(middleware::map_response(strict));
        }
        routers.push((host.to_owned(), router));
    }
    let sites = Sites::new(Arc::new(Certificates(certificates)), routers);
    Ok(listener.serve_sites(sites, shutdown))
}

async fn strict(mut response: Response) -> Response {
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, STRICT);
    response
}

/// The certificate of each name. Whoever names none of them gets none.
struct Certificates(HashMap<String, Arc<CertifiedKey>>);

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // The name comes in lower case.
        self.0.get(hello.server_name()?).cloned()
    }
}
