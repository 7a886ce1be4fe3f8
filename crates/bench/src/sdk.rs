//! What the SDK costs a program, in processor time for each call, beside a bare hyper client that makes the same calls
//! over a pool of the same kind: it writes the same typed body, sends the same headers, reads the same answer into the
//! same type, and does nothing else.
//!
//! Each client has a thread of its own with a runtime of its own, so that the thread's processor time is the client's
//! alone; it includes what the operating system does for it. The server answers recorded bytes on other threads.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use klarna::{Client, Country, Credentials, Currency, MinorUnits, OrderId, OrderLine, TaxRate};
use klarna_types::order_management::{CreateCapture, Order};
use klarna_types::payments::{CreateSession, CreatedSession};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Outcome;
use crate::bare::Bare;
use crate::report::{median, median_ratio, say};
use crate::serving::session;
use crate::world::{MERCHANT, PASSWORD, World};

const ROUNDS: usize = 21;
/// Calls in a round, shared by the callers.
const CALLS: usize = 1_200;
/// Calls under way at once.
const CALLERS: usize = 8;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ReadOrder,
    Capture,
    OpenSession,
}

impl Kind {
    const ALL: [Self; 3] = [Self::ReadOrder, Self::Capture, Self::OpenSession];

    fn name(self) -> &'static str {
        match self {
            Self::ReadOrder => "orders.read",
            Self::Capture => "orders.capture",
            Self::OpenSession => "sessions.create",
        }
    }
}

/// The bare client.
#[derive(Clone)]
struct Hyper {
    client: HyperClient<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: HeaderValue,
}

impl Hyper {
    fn new(address: SocketAddr) -> Outcome<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = HyperClient::builder(TokioExecutor::new()).build(connector);
        let authorization = HeaderValue::from_str("Basic SzEyMzQ1NjpiZW5jaA==")?;
        Ok(Self { client, base: format!("http://{address}"), authorization })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
        key: Option<&str>,
    ) -> Outcome<(http::response::Parts, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, &self.authorization)
            .header(USER_AGENT, "bench")
            .header(ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            request = request.header("klarna-idempotency-key", key);
        }
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let answer = self.client.request(request.body(Full::new(Bytes::from(body)))?).await?;
        let (parts, body) = answer.into_parts();
        if !parts.status.is_success() {
            return Err(format!("{path} was answered {}", parts.status).into());
        }
        Ok((parts, body.collect().await?.to_bytes()))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Outcome<T> {
        let (_, body) = self.call(method, path, body, None).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// What the calls send.
#[derive(Clone)]
struct Bodies {
    order_id: OrderId,
    capture: CreateCapture,
    session: CreateSession,
}

async fn with_hyper(client: &Hyper, kind: Kind, bodies: &Bodies) -> Outcome<()> {
    match kind {
        Kind::ReadOrder => {
            let path = format!("/ordermanagement/v1/orders/{}", bodies.order_id);
            let order: Order = client.read(Method::GET, &path, None::<&()>).await?;
            std::hint::black_box(order);
        }
        Kind::Capture => {
            let path = format!("/ordermanagement/v1/orders/{}/captures", bodies.order_id);
            // Made for each call, as the SDK does.
            let key = service::random::uuid().to_string();
            let (parts, _) =
                client.call(Method::POST, &path, Some(&bodies.capture), Some(&key)).await?;
            let id = parts.headers.get("capture-id").ok_or("no id")?.to_str()?.to_owned();
            std::hint::black_box(id);
        }
        Kind::OpenSession => {
            let path = "/payments/v1/sessions";
            let created: CreatedSession =
                client.read(Method::POST, path, Some(&bodies.session)).await?;
            std::hint::black_box(created);
        }
    }
    Ok(())
}

async fn with_sdk(client: &Client, kind: Kind, bodies: &Bodies) -> Outcome<()> {
    match kind {
        Kind::ReadOrder => {
            std::hint::black_box(client.orders().get(&bodies.order_id).await?);
        }
        Kind::Capture => {
            let orders = client.orders();
            std::hint::black_box(orders.capture(&bodies.order_id, &bodies.capture).await?);
        }
        Kind::OpenSession => {
            std::hint::black_box(client.payments().create_session(&bodies.session).await?);
        }
    }
    Ok(())
}

/// Processor time of this thread so far. The first number is the time on a processor, in nanoseconds.
fn thread_time() -> Outcome<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(Duration::from_nanos(first.parse()?))
}

/// A client on its own thread, which is asked for rounds.
struct Caller {
    orders: tokio::sync::mpsc::UnboundedSender<(Kind, tokio::sync::oneshot::Sender<Outcome<f64>>)>,
}

impl Caller {
    /// `call` makes one call with what `client` made on the thread.
    fn start<C, F>(
        client: impl FnOnce() -> Outcome<C> + Send + 'static,
        call: impl Fn(C, Kind, Bodies) -> F + Copy + Send + 'static,
        bodies: Bodies,
    ) -> Outcome<Self>
    where
        C: Clone + 'static,
        F: Future<Output = Outcome<()>> + 'static,
    {
        let (orders, mut wanted) = tokio::sync::mpsc::unbounded_channel::<(
            Kind,
            tokio::sync::oneshot::Sender<Outcome<f64>>,
        )>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("caller".to_owned()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let Ok(client) = client() else { return };
                while let Some((kind, reply)) = wanted.recv().await {
                    let _ = reply.send(one_round(&client, call, kind, &bodies).await);
                }
            });
        })?;
        Ok(Self { orders })
    }

    /// Microseconds of processor time for a call.
    async fn round(&self, kind: Kind) -> Outcome<f64> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.orders.send((kind, reply)).map_err(|_| "a caller ended")?;
        answer.await?
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls is far below 2^52")]
async fn one_round<C: Clone + 'static, F: Future<Output = Outcome<()>> + 'static>(
    client: &C,
    call: impl Fn(C, Kind, Bodies) -> F + Copy + 'static,
    kind: Kind,
    bodies: &Bodies,
) -> Outcome<f64> {
    let before = thread_time()?;
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (client, bodies) = (client.clone(), bodies.clone());
            tokio::task::spawn_local(async move {
                for _ in 0..CALLS / CALLERS {
                    call(client.clone(), kind, bodies.clone()).await?;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    let spent = thread_time()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1_000_000.0 / (CALLS as f64))
}

/// A session with a cart of three lines.
fn session_request() -> CreateSession {
    let line = |name: &str, reference: &str| {
        OrderLine::new(name, 1, MinorUnits::new(14_900), MinorUnits::new(14_900))
            .reference(reference)
            .tax_rate(TaxRate::percent(25))
            .total_tax_amount(MinorUnits::new(2_980))
            .product_url("https://shop.example.org/mugg-bla")
    };
    let lines = vec![
        line("Mugg i stengods, blå", "MUG-BLUE"),
        line("Bricka", "TRAY"),
        line("Skål", "BOWL"),
    ];
    CreateSession::new(Country::SE, Currency::SEK, MinorUnits::new(44_700), lines)
        .order_tax_amount(MinorUnits::new(8_940))
        .locale("sv-SE")
        .merchant_reference1("WEB-1001")
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let world = World::start(&folder.path().join("playground.db")).await?;
    let order_id = world.buy(&session()).await?;
    let order = format!("/ordermanagement/v1/orders/{order_id}");
    let (read_order, _) = world.call("GET", &order, None).await?;
    let body = serde_json::json!({ "captured_amount": 100 });
    let (capture, _) = world.call("POST", &format!("{order}/captures"), Some(&body)).await?;
    let (open_session, _) = world.call("POST", "/payments/v1/sessions", Some(&session())).await?;
    world.stop().await;
    let bodies = Bodies {
        order_id: OrderId::new(order_id),
        capture: CreateCapture::new(MinorUnits::new(100)),
        session: session_request(),
    };
    for kind in Kind::ALL {
        let recorded = match kind {
            Kind::ReadOrder => &read_order,
            Kind::Capture => &capture,
            Kind::OpenSession => &open_session,
        };
        let server = Bare::start(recorded).await?;
        let address = server.address;
        let bare = Caller::start(
            move || Hyper::new(address),
            |client, kind, bodies| async move { with_hyper(&client, kind, &bodies).await },
            bodies.clone(),
        )?;
        let sdk = Caller::start(
            move || {
                let client = Client::builder(Credentials::new(MERCHANT, PASSWORD));
                Ok(client.base_url(&format!("http://{address}"))?.build()?)
            },
            |client, kind, bodies| async move { with_sdk(&client, kind, &bodies).await },
            bodies.clone(),
        )?;
        // Connections are opened, and everything is warm.
        bare.round(kind).await?;
        sdk.round(kind).await?;
        let (mut of_bare, mut of_sdk) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            of_bare.push(bare.round(kind).await?);
            of_sdk.push(sdk.round(kind).await?);
        }
        let name = kind.name();
        let ratio = median_ratio(&of_sdk, &of_bare);
        say(&format!("sdk.{name}"), median(of_sdk), "us");
        say(&format!("sdk.{name}.bare_hyper"), median(of_bare), "us");
        say(&format!("sdk.{name}.to.bare_hyper"), ratio, "ratio");
    }
    Ok(())
}
