//! A server that answers each request with the next step of a script, and notes what it was asked. It speaks HTTP/1.1
//! by hand, since what is tested is what happens when HTTP goes wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klarna::retry::RetryPolicy;
use klarna::{Client, ClientBuilder, Credentials};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// This status, these header lines, this body.
    Answer(u16, &'static str, &'static str),
    /// The connection is closed after the request was read: it may have been executed.
    Close,
    /// The head promises more body than comes.
    Truncate(u16),
    /// Nothing is ever answered.
    Stall,
    /// The head and a piece of the body come, the rest never does.
    StallInBody,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method and path.
    pub(crate) line: String,
    /// Header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: String,
}

impl Seen {
    /// A header, if it was sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// A running script.
#[derive(Debug)]
pub(crate) struct Script {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    /// Plays the steps, one for each request; a request too many is answered with status 599.
    pub(crate) async fn play(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let steps: Vec<Step> = steps.into_iter().collect();
        tokio::spawn(async move {
            let mut steps = steps.into_iter();
            // Streams that are to stay open without an answer.
            let mut stalled = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                notes.lock().unwrap().push(request);
                let step = steps.next().unwrap_or(Step::Answer(599, "", ""));
                if let Some(stream) = act(stream, step).await {
                    stalled.push(stream);
                }
            }
        });
        Self { address, seen }
    }

    /// What was asked, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// A client for it that does not wait long between tries.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// The same, to be changed.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(Credentials::new("K1_user", "hush"))
            .base_url(&format!("http://{}/", self.address))
            .unwrap()
            .retry(quick())
    }
}

/// The usual policy with delays that a test can afford.
pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy {
        base_delay: Duration::from_millis(1),
        conflict_delay: Duration::from_millis(1),
        ..RetryPolicy::default()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers
                .iter()
                .find(|(name, _)| name == "content-length")
                .map_or(0, |(_, value)| value.parse::<usize>().unwrap());
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
                body.extend_from_slice(&buffer[..count]);
            }
            return Some(Seen { line, headers, body: String::from_utf8(body).unwrap() });
        }
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// Plays a step; gives the stream back if it is to stay open.
async fn act(mut stream: TcpStream, step: Step) -> Option<TcpStream> {
    let head = |status: u16, headers: &str, length: usize| {
        format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
        )
    };
    let (text, stays_open) = match step {
        Step::Answer(status, headers, body) => {
            let length = if status == 204 { 0 } else { body.len() };
            (format!("{}{body}", head(status, headers, length)), false)
        }
        Step::Close => return None,
        Step::Truncate(status) => (format!("{}{{\"order_id\":", head(status, "", 1000)), false),
        Step::Stall => return Some(stream),
        Step::StallInBody => (format!("{}{{", head(200, "", 1000)), true),
    };
    stream.write_all(text.as_bytes()).await.ok()?;
    stays_open.then_some(stream)
}
