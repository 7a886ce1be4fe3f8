//! A load generator for HTTP/1.1 over kept-alive connections.
//!
//! It shares the machine with what it measures, so it does as little as it can: requests are bytes made beforehand, and of
//! an answer only the status and the length are read. It runs on a thread of its own. Not a client for anything else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Outcome;
use crate::report::rate;

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Request(Arc<[u8]>);

impl Request {
    pub(crate) fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        if !body.is_empty() {
            text.push_str("content-type: application/json\r\ncontent-length: ");
            text.push_str(&body.len().to_string());
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self(text.into_bytes().into())
    }
}

/// An answer as it stood on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Where an answer in the buffer ends, and what it says.
struct Frame {
    status: u16,
    head: usize,
    end: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the request and reads the whole answer, which is then in the buffer.
    async fn exchange(&mut self, request: &Request) -> Outcome<Frame> {
        self.buffer.clear();
        self.stream.write_all(&request.0).await?;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(frame) = frame(&self.buffer)?
                && self.buffer.len() >= frame.end
            {
                return Ok(frame);
            }
        }
    }
}

/// Reads status and length, once the head is there.
fn frame(buffer: &[u8]) -> Outcome<Option<Frame>> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let status = buffer
        .get(9..12)
        .and_then(|digits| str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or("an answer without a status")?;
    let length = buffer[..head]
        .split(|byte| *byte == b'\n')
        .find_map(|line| {
            let (name, value) = line.split_at_checked(15)?;
            name.eq_ignore_ascii_case(b"content-length:").then_some(value)
        })
        .map_or(Ok(0), |value| {
            str::from_utf8(value)?.trim().parse::<usize>().map_err(Box::from) as Outcome<usize>
        })?;
    Ok(Some(Frame { status, head, end: head + 4 + length }))
}

impl Frame {
    /// All of the answer that it frames.
    fn answer(&self, buffer: &[u8]) -> Outcome<Answer> {
        let head = str::from_utf8(&buffer[..self.head])?;
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let body = str::from_utf8(&buffer[self.head + 4..self.end])?.to_owned();
        Ok(Answer { status: self.status, headers, body })
    }
}

/// One request, and its answer in full.
pub(crate) async fn ask(address: SocketAddr, request: &Request) -> Outcome<Answer> {
    let mut connection = Connection::open(address).await?;
    let frame = connection.exchange(request).await?;
    frame.answer(&connection.buffer)
}

/// Sends each of the requests once over `connections` connections at once, and keeps the answers, in the order of the
/// requests; answers how many were answered in a second, too. Every answer must have the status `expected`.
pub(crate) async fn each(
    address: SocketAddr,
    requests: Arc<[Request]>,
    connections: usize,
    expected: u16,
) -> Outcome<(f64, Vec<Answer>)> {
    on_a_thread(async move {
        let next = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
                tokio::spawn(async move {
                    let mut connection = Connection::open(address).await?;
                    let mut answers = Vec::new();
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = requests.get(place) else { break };
                        let frame = connection.exchange(request).await?;
                        let answer = frame.answer(&connection.buffer)?;
                        if answer.status != expected {
                            return Err(format!(
                                "expected status {expected}, was answered {}: {}",
                                answer.status, answer.body
                            )
                            .into());
                        }
                        answers.push((place, answer));
                    }
                    Outcome::Ok(answers)
                })
            })
            .collect();
        let mut answers = Vec::with_capacity(requests.len());
        for task in tasks {
            answers.extend(task.await??);
        }
        let rate = rate(u64::try_from(answers.len())?, started.elapsed());
        answers.sort_by_key(|(place, _)| *place);
        Ok((rate, answers.into_iter().map(|(_, answer)| answer).collect()))
    })
    .await
}

/// Sends each of the requests once over one connection, one after the other; answers how long each took, and what was
/// answered. Every answer must have the status `expected`.
pub(crate) async fn in_turn(
    address: SocketAddr,
    requests: Arc<[Request]>,
    expected: u16,
) -> Outcome<(Vec<Duration>, Vec<Answer>)> {
    on_a_thread(async move {
        let mut connection = Connection::open(address).await?;
        let (mut times, mut answers) = (Vec::new(), Vec::new());
        for request in requests.iter() {
            let started = Instant::now();
            let frame = connection.exchange(request).await?;
            times.push(started.elapsed());
            let answer = frame.answer(&connection.buffer)?;
            if answer.status != expected {
                let (status, body) = (answer.status, answer.body);
                return Err(
                    format!("expected status {expected}, was answered {status}: {body}").into()
                );
            }
            answers.push(answer);
        }
        Ok((times, answers))
    })
    .await
}

/// Runs something on a thread and a runtime of its own.
async fn on_a_thread<T: Send + 'static>(
    work: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<T> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("load".to_owned()).spawn(move || {
        let outcome = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Box::from)
            .and_then(|runtime| runtime.block_on(work));
        // The receiver waits for as long as the run lasts.
        let _ = reply.send(outcome);
    })?;
    answer.await?
}

/// Sends the requests in turn over `connections` connections at once; answers how many were answered in a second. Every
/// answer must have the status `expected`: a server that refuses quickly must not look fast.
pub(crate) async fn load(
    address: SocketAddr,
    requests: Arc<[Request]>,
    connections: usize,
    expected: u16,
    how_long: Duration,
) -> Outcome<f64> {
    on_a_thread(async move { run_load(address, &requests, connections, expected, how_long).await })
        .await
}

async fn run_load(
    address: SocketAddr,
    requests: &Arc<[Request]>,
    connections: usize,
    expected: u16,
    how_long: Duration,
) -> Outcome<f64> {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|first| {
            let (requests, stop) = (Arc::clone(requests), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut answered = 0_u64;
                for request in requests.iter().cycle().skip(first % requests.len()) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let frame = connection.exchange(request).await?;
                    if frame.status != expected {
                        let said = String::from_utf8_lossy(&connection.buffer).into_owned();
                        return Err(
                            format!("expected status {expected}, was answered {said}").into()
                        );
                    }
                    answered += 1;
                }
                Outcome::Ok(answered)
            })
        })
        .collect();
    tokio::time::sleep(how_long).await;
    stop.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for task in tasks {
        answered += task.await??;
    }
    Ok(rate(answered, started.elapsed()))
}
