//! Keeping under the rate limit, against a server that counts as Klarna does. Time stands still but where everybody
//! waits, so that seconds cost nothing and each turn can be read off exactly.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use klarna::retry::RetryPolicy;
use klarna::{Client, ClientBuilder, Credentials, ErrorKind, OrderId, Pacing};
use tokio::time::{Instant, sleep};

/// Fixed windows of a second for each credential, as Klarna has them.
#[derive(Clone)]
struct Klarna {
    limit: u32,
    began: Instant,
    windows: Arc<Mutex<HashMap<(String, u64), u32>>>,
    refused: Arc<Mutex<u32>>,
    /// When each call came, in milliseconds.
    came: Arc<Mutex<Vec<u128>>>,
}

impl Klarna {
    fn new(limit: u32) -> Self {
        Self {
            limit,
            began: Instant::now(),
            windows: Arc::default(),
            refused: Arc::default(),
            came: Arc::default(),
        }
    }

    fn answer(&self, request: &Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        let elapsed = self.began.elapsed();
        self.came.lock().unwrap().push(elapsed.as_millis());
        let who = request.headers()["authorization"].to_str().unwrap().to_owned();
        let mut windows = self.windows.lock().unwrap();
        let count = windows.entry((who, elapsed.as_secs())).or_default();
        let left = self.limit.saturating_sub(*count);
        *count += 1;
        let (status, body) = match left {
            0 => {
                *self.refused.lock().unwrap() += 1;
                (
                    429,
                    r#"{"error_code":"TOO_MANY_REQUESTS","error_messages":["Too many requests"]}"#,
                )
            }
            _ => (200, "[]"),
        };
        Response::builder()
            .status(status)
            .header("x-ratelimit-limit", format!("{0}, {0};w=1", self.limit))
            .header("x-ratelimit-remaining", left.saturating_sub(1))
            .header("x-ratelimit-reset", "1")
            .body(Full::from(body))
            .unwrap()
    }

    fn builder(&self) -> ClientBuilder {
        let klarna = self.clone();
        let transport = tower::service_fn(move |request| {
            let klarna = klarna.clone();
            async move {
                sleep(Duration::from_millis(5)).await;
                Ok::<_, Infallible>(klarna.answer(&request))
            }
        });
        Client::builder(Credentials::new("K1_a", "b"))
            .base_url("http://klarna.test")
            .unwrap()
            .transport(transport)
    }

    fn refused(&self) -> u32 {
        *self.refused.lock().unwrap()
    }
}

/// So many calls at once; gives how many succeeded.
async fn burst(client: &Client, calls: usize, deadline: Duration) -> usize {
    let tasks: Vec<_> = (0..calls)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                client.orders().captures(&OrderId::new("o")).deadline(deadline).send().await
            })
        })
        .collect();
    let mut good = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => good += 1,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
    good
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_burst_is_spread_over_the_windows() {
    let klarna = Klarna::new(10);
    let client = klarna.builder().build().unwrap();
    // One call, to learn the limit.
    assert_eq!(burst(&client, 1, LONG).await, 1);
    assert_eq!(burst(&client, 60, LONG).await, 60);
    let last = *klarna.came.lock().unwrap().iter().max().unwrap();
    assert!((5_000..8_000).contains(&last), "61 calls at 10 a second took {last} ms");
    // Klarna's windows begin at other moments than ours, so that now and then one call is one too many.
    assert!(klarna.refused() <= 3, "{} of 61 were refused", klarna.refused());
}

#[tokio::test(start_paused = true)]
async fn clones_and_clients_of_the_same_merchant_share_one_quota() {
    let klarna = Klarna::new(10);
    let client = klarna.builder().build().unwrap();
    assert_eq!(burst(&client, 1, LONG).await, 1);
    let same = client.for_merchant(&Credentials::new("K1_a", "b"));
    let other = client.for_merchant(&Credentials::new("K2_a", "b"));
    assert_eq!(burst(&other, 1, LONG).await, 1);
    let began = Instant::now();
    let (first, second, third) =
        tokio::join!(burst(&client, 15, LONG), burst(&same, 15, LONG), async {
            let good = burst(&other, 9, LONG).await;
            // Another merchant waits for nobody.
            assert!(began.elapsed() < Duration::from_millis(100));
            good
        });
    assert_eq!((first, second, third), (15, 15, 9));
    assert!(began.elapsed() > Duration::from_secs(2));
    assert!(klarna.refused() <= 2, "{} of 41 were refused", klarna.refused());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_deadline() {
    let klarna = Klarna::new(5);
    let client = klarna.builder().retry(RetryPolicy::never()).build().unwrap();
    assert_eq!(burst(&client, 1, LONG).await, 1);
    let began = Instant::now();
    let good = burst(&client, 100, Duration::from_secs(3)).await;
    assert!((14..=19).contains(&good), "{good} calls in three seconds");
    assert!(began.elapsed() <= Duration::from_secs(3), "{:?}", began.elapsed());
    // What could not be sent was not sent.
    assert_eq!(klarna.came.lock().unwrap().len(), good + 1);
    let id = OrderId::new("o");
    let call = client.orders().cancel(&id).deadline(Duration::from_millis(10)).send().await;
    let error = call.unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Throttled, 0));
    assert!(error.is_retryable() && !error.outcome_unknown());
    assert!(error.idempotency_key().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_first_burst_learns_from_429_and_succeeds() {
    let klarna = Klarna::new(10);
    let policy = RetryPolicy { window: LONG, ..RetryPolicy::default() };
    let client = klarna.builder().retry(policy).build().unwrap();
    assert_eq!(burst(&client, 40, LONG).await, 40);
    // What came too early is known after the first answers: it is not tried again at once.
    assert!(klarna.refused() <= 40, "{} were refused", klarna.refused());
}

#[tokio::test(start_paused = true)]
async fn pacing_can_be_switched_off() {
    let klarna = Klarna::new(10);
    let builder = klarna.builder().retry(RetryPolicy::never()).pacing(Pacing::Off);
    let client = builder.build().unwrap();
    assert_eq!(burst(&client, 1, LONG).await, 1);
    assert_eq!(burst(&client, 30, LONG).await, 9);
    assert_eq!(klarna.refused(), 21);
}
