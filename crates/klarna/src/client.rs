//! The client and how it is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use klarna_types::{Environment, MerchantId, Region};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt as _};
use url::Url;

use crate::api::{
    CustomerTokens, Disputes, HostedPaymentPage, InStore, Orders, PaymentRequests, Payments,
    Settlements,
};
use crate::call::RawCall;
use crate::credentials::Credentials;
use crate::engine::{Core, Shared};
use crate::error::Error;
use crate::pacing::{Pacers, Pacing};
use crate::retry::RetryPolicy;
use crate::transport::{self, BoxError, ResponseBody, Roots, Transport};

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
            stall_timeout: Duration::from_secs(30),
            max_response_bytes: 16 * 1024 * 1024,
            preflight: Preflight::Off,
            pacing: Pacing::default(),
            environment: Some(Environment::Playground),
            roots: Vec::new(),
            transport: None,
            layers: Vec::new(),
        }
    }

    /// A client as the environment says.
    ///
    /// | variable | is |
    /// |---|---|
    /// | `KLARNA_USERNAME`, `KLARNA_PASSWORD` | a username and its password |
    /// | `KLARNA_API_KEY` | an API key, instead of both |
    /// | `KLARNA_MERCHANT_ID` | the merchant id, where the username does not begin with it |
    /// | `KLARNA_BASE_URL` | a host, such as a local playground's |
    /// | `KLARNA_REGION` | `europe`, `north-america` or `oceania`, instead of a host; Europe if absent |
    /// | `KLARNA_ENVIRONMENT` | `playground` or `live`; playground if absent |
    /// | `KLARNA_CA_FILE` | a file of certificates in PEM form, trusted besides the public authorities |
    pub fn from_env() -> Result<Self, BuildError> {
        crate::env::client(|name| std::env::var(name).ok())
    }

    /// A client for another merchant over the same connections and with the same settings: for partners who act for many
    /// merchants. As cheap as a clone.
    ///
    /// Rate limits are counted for each merchant apart, however many clients there are for it.
    ///
    /// ```
    /// # fn example(client: klarna::Client) {
    /// use klarna::Credentials;
    /// let of_another = client.for_merchant(&Credentials::new("K777777_abcd", "password"));
    /// # drop(of_another);
    /// # }
    /// ```
    pub fn for_merchant(&self, credentials: &Credentials) -> Self {
        Self {
            shared: Arc::new(Shared::new(
                Arc::clone(&self.shared.core),
                self.shared.base.clone(),
                credentials.authorization(),
                credentials.merchant_id().cloned(),
            )),
        }
    }

    /// The host that is called, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.shared.base
    }

    /// Whose client this is, as far as the credentials say it ([`Credentials::of_merchant`]).
    pub fn merchant_id(&self) -> Option<&MerchantId> {
        self.shared.merchant_id.as_ref()
    }

    /// Sessions, authorizations, and orders made from them.
    pub fn payments(&self) -> Payments<'_> {
        Payments { client: self }
    }

    /// Placed orders: captures, refunds and the rest of Order Management.
    pub fn orders(&self) -> Orders<'_> {
        Orders { client: self }
    }

    /// Customer tokens: subscriptions and purchases on demand.
    pub fn customer_tokens(&self) -> CustomerTokens<'_> {
        CustomerTokens { client: self }
    }

    /// Pages on which the shopper pays at Klarna's.
    pub fn hosted_payment_page(&self) -> HostedPaymentPage<'_> {
        HostedPaymentPage { client: self }
    }

    /// Purchases in a store, paid on the shopper's phone.
    pub fn in_store(&self) -> InStore<'_> {
        InStore { client: self }
    }

    /// Payments that a server asks for, paid on a page of Klarna's or by a button of the Web SDK.
    pub fn payment_requests(&self) -> PaymentRequests<'_> {
        PaymentRequests { client: self }
    }

    /// Payouts, the transactions in them, and their reports.
    pub fn settlements(&self) -> Settlements<'_> {
        Settlements { client: self }
    }

    /// Disputes.
    pub fn disputes(&self) -> Disputes<'_> {
        Disputes { client: self }
    }

    /// A call that this crate has no type for: with credentials, errors and, where it is safe, retries.
    ///
    /// ```
    /// # async fn example(client: klarna::Client) -> Result<(), klarna::Error> {
    /// use http::Method;
    /// let call = client.raw(Method::GET, "/new-api/v1/things").query("size", "20");
    /// let things = call.send::<serde_json::Value>().await?;
    /// println!("{}", things["count"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(&self, method: Method, path: impl Into<String>) -> RawCall {
        RawCall::new(self.shared(), method, path.into())
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
    stall_timeout: Duration,
    max_response_bytes: usize,
    preflight: Preflight,
    pacing: Pacing,
    /// Whose documented rate limits hold, if it is Klarna's own.
    environment: Option<Environment>,
    roots: Roots,
    transport: Option<Transport>,
    layers: Vec<Box<dyn FnOnce(Transport) -> Transport + Send>>,
}

impl ClientBuilder {
    /// One of Klarna's six hosts. Without this and without [`ClientBuilder::base_url`]: Europe's test system.
    pub fn region(mut self, region: Region, environment: Environment) -> Self {
        region.base_url(environment).clone_into(&mut self.base);
        self.environment = Some(environment);
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
        self.environment = None;
        Ok(self)
    }

    /// Trusts these authorities, too: one or more certificates in PEM form. For `kassa playground --intercept`, and for
    /// proxies that look into TLS.
    pub fn root_certificates_pem(mut self, pem: &[u8]) -> Result<Self, BuildError> {
        let roots = transport::read_pem(pem).map_err(|source| BuildError::Tls { source })?;
        self.roots.extend(roots);
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

    /// How long an answer that is read as it arrives may make no progress. 30 seconds if not called.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Whether calls wait for their turn under Klarna's rate limit. They do if not called.
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = pacing;
        self
    }

    /// How large an answer may be that is read whole. 16 MiB if not called. Downloads are not limited by this.
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

    /// Puts a tower layer around the transport. It sees every try of every call, with credentials and idempotency key
    /// in place; the last one added is the outermost. Credentials are marked as sensitive, so that they are not printed
    /// with the headers.
    ///
    /// Any layer of the tower ecosystem fits whose service takes a request and gives a response with
    /// [`ResponseBody`]; what it waits is within the call's deadline, and an error of its own counts as a lost
    /// connection. One that is written by hand:
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{HeaderValue, Request, Response};
    /// use http_body_util::Full;
    /// use klarna::{BoxError, Client, Credentials, ResponseBody, Transport};
    /// use std::{future::Future, pin::Pin, task::{Context, Poll}};
    ///
    /// /// Tells the other side for whom the call is made.
    /// #[derive(Clone)]
    /// struct Tagged<S>(S);
    ///
    /// impl<S> tower::Service<Request<Full<Bytes>>> for Tagged<S>
    /// where
    ///     S: tower::Service<Request<Full<Bytes>>, Response = Response<ResponseBody>, Error = BoxError>,
    /// {
    ///     type Response = S::Response;
    ///     type Error = S::Error;
    ///     type Future = S::Future;
    ///
    ///     fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
    ///         self.0.poll_ready(context)
    ///     }
    ///
    ///     fn call(&mut self, mut request: Request<Full<Bytes>>) -> S::Future {
    ///         request.headers_mut().insert("klarna-integrator", HeaderValue::from_static("shop 1.0"));
    ///         self.0.call(request)
    ///     }
    /// }
    ///
    /// let client = Client::builder(Credentials::api_key("klarna_test_api_0123456789"))
    ///     .layer(tower::layer::layer_fn(Tagged::<Transport>))
    ///     .build()?;
    /// # drop(client);
    /// # Ok::<(), klarna::BuildError>(())
    /// ```
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
            None => transport::tcp(self.connect_timeout, self.roots)
                .map_err(|source| BuildError::Tls { source: source.into() })?,
        };
        let transport =
            self.layers.into_iter().fold(transport, |transport, layer| layer(transport));
        let core = Arc::new(Core {
            transport,
            user_agent,
            policy: self.policy,
            read_deadline: self.read_deadline,
            write_deadline: self.write_deadline,
            stall_timeout: self.stall_timeout,
            max_response_bytes: self.max_response_bytes,
            preflight: self.preflight,
            pacing: self.pacing,
            pacers: Pacers::new(self.environment),
        });
        let base = self.base.trim_end_matches('/').to_owned();
        let merchant_id = self.credentials.merchant_id().cloned();
        let authorization = self.credentials.authorization();
        Ok(Client { shared: Arc::new(Shared::new(core, base, authorization, merchant_id)) })
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
    /// The environment does not say what is needed, or says it in a way that cannot be read.
    #[error("{variable}: {detail}")]
    Environment {
        /// Which variable.
        variable: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls {
        /// Why.
        source: BoxError,
    },
}
