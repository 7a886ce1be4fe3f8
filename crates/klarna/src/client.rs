//! The client and how it is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use klarna_types::{Environment, IdempotencyKey, Region};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt as _};
use url::Url;

use crate::api::{Orders, Payments};
use crate::call::{self, Call, Keyed};
use crate::credentials::Credentials;
use crate::engine::{Operation, Shared};
use crate::error::Error;
use crate::response::Response;
use crate::retry::{Repeat, RetryPolicy};
use crate::transport::{self, BoxError, ResponseBody, Transport};

/// A client of Klarna's APIs, for one merchant in one region. Cheap to clone; all clones share one connection pool.
///
/// See the [crate's documentation](crate) for an example.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// A client for a region, with everything else as usual.
    ///
    /// ```
    /// use klarna::{Client, Credentials, Environment, Region};
    /// let credentials = Credentials::api_key("klarna_test_api_0123456789");
    /// let client = Client::new(Region::Europe, Environment::Playground, credentials)?;
    /// # drop(client);
    /// # Ok::<(), klarna::BuildError>(())
    /// ```
    pub fn new(
        region: Region,
        environment: Environment,
        credentials: Credentials,
    ) -> Result<Self, BuildError> {
        Self::builder(credentials).region(region, environment).build()
    }

    /// Starts building a client.
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder {
            credentials,
            base: Region::Europe.base_url(Environment::Playground).to_owned(),
            user_agent: None,
            policy: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(5),
            read_deadline: Duration::from_secs(15),
            write_deadline: Duration::from_secs(30),
            max_response_bytes: 16 * 1024 * 1024,
            preflight: Preflight::Off,
            transport: None,
            layers: Vec::new(),
        }
    }

    /// Sessions, authorizations, and orders made from them.
    pub fn payments(&self) -> Payments<'_> {
        Payments { client: self }
    }

    /// Placed orders: captures, refunds and the rest of Order Management.
    pub fn orders(&self) -> Orders<'_> {
        Orders { client: self }
    }

    /// A call that this crate has no type for: with credentials, errors and, where it is safe, retries.
    ///
    /// ```
    /// # async fn example(client: klarna::Client) -> Result<(), klarna::Error> {
    /// use http::Method;
    /// let call = client.request(Method::GET, "/customer-token/v1/tokens/1234");
    /// let token = call.send::<serde_json::Value>().await?;
    /// println!("{}", token["status"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawCall {
        let path = path.into();
        // What stands in the path may be a token: it is not part of the name under which the call is logged.
        let operation = if path.starts_with('/') {
            Ok(Operation::new(method, "(raw call)", path))
        } else {
            Err(Error::invalid(format!("{method} (raw call)"), "a path begins with a slash"))
        };
        RawCall { shared: Arc::clone(&self.shared), operation }
    }

    /// Sends a request as it is, once: the host of its URL is replaced by the client's, credentials and user agent are
    /// added unless it has them. Any answer is a success here.
    ///
    /// ```
    /// # async fn example(client: klarna::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("/payments/v1/sessions/unknown").body(bytes::Bytes::new())?;
    /// let answer = client.execute(request).await?;
    /// assert_eq!(answer.status(), 404);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn execute(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        self.shared.execute(request).await
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("base_url", &self.shared.base)
            .finish_non_exhaustive()
    }
}

/// A call by method and path. See [`Client::request`].
#[must_use = "a call is made when it is awaited"]
pub struct RawCall {
    shared: Arc<Shared>,
    operation: Result<Operation, Error>,
}

impl RawCall {
    /// The body, as JSON.
    pub fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        self.operation = self.operation.and_then(|mut operation| match serde_json::to_vec(body) {
            Ok(body) => {
                operation.body = Some(Bytes::from(body));
                Ok(operation)
            }
            Err(error) => Err(Error::invalid(operation.name(), error.to_string())),
        });
        self
    }

    /// The key under which a write is sent, which makes it repeatable.
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.key = Some(key);
            operation.repeat = Repeat::Keyed;
        }
        self
    }

    /// Whether the call may be sent twice. Reads may, other calls may not unless they have a key.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.repeat = repeat;
        }
        self
    }

    /// How the call is named in logs and errors: a template without ids and tokens in it.
    pub fn route(mut self, route: &'static str) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.route = route.into();
        }
        self
    }

    /// Makes the call and reads its answer as JSON.
    pub async fn send<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        Call::<T, Keyed>::new(self.shared, self.operation, call::json).send().await
    }

    /// Makes the call and gives the body as it came.
    pub async fn send_raw(self) -> Result<Response<Bytes>, Error> {
        let answer = self.shared.call(&self.operation?).await?;
        Ok(Response::new(answer.body, answer.meta))
    }
}

/// Whether requests are checked before they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preflight {
    /// Klarna decides. What it refuses is explained by [`Error::problems`] all the same.
    #[default]
    Off,
    /// What [`klarna_types::validate`] finds wrong is not sent. Saves a round trip, but also holds back what a newer
    /// Klarna would accept.
    On,
}

/// Builds a [`Client`].
pub struct ClientBuilder {
    credentials: Credentials,
    base: String,
    user_agent: Option<String>,
    policy: RetryPolicy,
    connect_timeout: Duration,
    read_deadline: Duration,
    write_deadline: Duration,
    max_response_bytes: usize,
    preflight: Preflight,
    transport: Option<Transport>,
    layers: Vec<Box<dyn FnOnce(Transport) -> Transport + Send>>,
}

impl ClientBuilder {
    /// One of Klarna's six hosts. Without this and without [`ClientBuilder::base_url`]: Europe's test system.
    pub fn region(mut self, region: Region, environment: Environment) -> Self {
        region.base_url(environment).clone_into(&mut self.base);
        self
    }

    /// Another host that speaks Klarna's APIs, such as a local playground; plain `http` is fine here.
    pub fn base_url(mut self, url: &str) -> Result<Self, BuildError> {
        let parsed =
            Url::parse(url).map_err(|source| BuildError::BaseUrl { source: source.into() })?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
            return Err(BuildError::BaseUrl { source: "not an http or https URL".into() });
        }
        if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some()
        {
            let source = "credentials and queries do not belong into a base URL".into();
            return Err(BuildError::BaseUrl { source });
        }
        self.base = parsed.to_string();
        Ok(self)
    }

    /// Names the calling program, in front of this crate's own name: `shop/1.0`.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// How often and for how long calls are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How long connecting may take. 5 seconds if not called.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a read may take, all its tries included. 15 seconds if not called.
    pub fn read_deadline(mut self, deadline: Duration) -> Self {
        self.read_deadline = deadline;
        self
    }

    /// How long a write may take, all its tries included. 30 seconds if not called.
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.write_deadline = deadline;
        self
    }

    /// How large an answer may be. 16 MiB if not called.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Whether requests are checked before they are sent.
    pub fn preflight(mut self, preflight: Preflight) -> Self {
        self.preflight = preflight;
        self
    }

    /// Uses this service instead of opening connections.
    pub fn transport<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.transport = Some(BoxCloneSyncService::new(
            service.map_response(|response| response.map(ResponseBody::new)).map_err(Into::into),
        ));
        self
    }

    /// Puts a tower layer around the transport. It sees every try; the last one added is the outermost.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Transport> + Send + 'static,
        L::Service: Service<Request<Full<Bytes>>, Response = http::Response<ResponseBody>>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as Service<Request<Full<Bytes>>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Full<Bytes>>>>::Future: Send + 'static,
    {
        self.layers.push(Box::new(move |transport| {
            BoxCloneSyncService::new(layer.layer(transport).map_err(Into::into))
        }));
        self
    }

    /// Builds the client. No connection is made yet.
    pub fn build(self) -> Result<Client, BuildError> {
        let own = concat!("klarna-rust/", env!("CARGO_PKG_VERSION"));
        let user_agent = match &self.user_agent {
            Some(name) => format!("{name} {own}"),
            None => own.to_owned(),
        };
        let user_agent = HeaderValue::from_str(&user_agent)
            .map_err(|source| BuildError::UserAgent { source: source.into() })?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => transport::tcp(self.connect_timeout)
                .map_err(|source| BuildError::Tls { source: source.into() })?,
        };
        let transport =
            self.layers.into_iter().fold(transport, |transport, layer| layer(transport));
        Ok(Client {
            shared: Arc::new(Shared {
                transport,
                base: self.base.trim_end_matches('/').to_owned(),
                authorization: self.credentials.authorization(),
                user_agent,
                policy: self.policy,
                read_deadline: self.read_deadline,
                write_deadline: self.write_deadline,
                max_response_bytes: self.max_response_bytes,
                preflight: self.preflight,
            }),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("credentials", &self.credentials)
            .field("base_url", &self.base)
            .finish_non_exhaustive()
    }
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL cannot be used.
    #[error("the base URL cannot be used")]
    BaseUrl {
        /// Why.
        source: BoxError,
    },
    /// The user agent cannot stand in a header.
    #[error("the user agent cannot stand in a header")]
    UserAgent {
        /// Why.
        source: BoxError,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls {
        /// Why.
        source: BoxError,
    },
}
