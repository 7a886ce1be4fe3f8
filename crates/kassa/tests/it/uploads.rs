//! Bodies that are far too large, against the built program: it answers early, holds little, and goes on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;

use testing::http::{As, Http};
use testing::kassa::Process;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");
const GIGABYTE: usize = 1 << 30;
const MEBIBYTE: u64 = 1 << 20;

/// Sends a gigabyte in chunks, until the other side has had enough; what it answered, and how much it took.
fn upload(address: &str, path: &str, content_type: &str) -> (String, usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut reading = stream.try_clone().unwrap();
    let answer = thread::spawn(move || {
        let mut answer = Vec::new();
        // The connection may end with what was not taken still under way.
        let _ = reading.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic dXNlcjpwYXNzd29yZA==\r\n\
         content-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut chunk = b"100000\r\n".to_vec();
    chunk.resize(chunk.len() + (1 << 20), b'x');
    chunk.extend_from_slice(b"\r\n");
    let mut sent = 0;
    while sent < GIGABYTE && stream.write_all(&chunk).is_ok() {
        sent += 1 << 20;
    }
    let _ = stream.shutdown(Shutdown::Write);
    (answer.join().unwrap(), sent)
}

#[tokio::test]
async fn a_gigabyte_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "playground",
        "--json",
        "--ephemeral",
        "--listen",
        "127.0.0.1:0",
        "--sftp-listen",
        "off",
        "--merchant",
        "K1=user:password",
    ];
    let mut process = Process::start(Path::new(KASSA), folder.path(), &flags);
    let ready = process.event();
    let url = ready["urls"]["playground"].as_str().unwrap().trim_end_matches('/').to_owned();
    let address = url.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let before = process.peak_memory();
    let uploads: Vec<_> = [
        ("/v4/payment/disputes/d/attachments", "multipart/form-data; boundary=B"),
        ("/disputes/v2/disputes/d/attachments", "multipart/form-data; boundary=B"),
        ("/payments/v1/sessions", "application/json"),
        ("/ordermanagement/v1/orders/o/captures", "application/json"),
    ]
    .into_iter()
    .map(|(path, content_type)| {
        let address = address.clone();
        thread::spawn(move || upload(&address, path, content_type))
    })
    .collect();
    for upload in uploads {
        let (answer, sent) = upload.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(sent < GIGABYTE / 8, "{sent} bytes were taken");
    }
    if let (Some(before), Some(after)) = (before, process.peak_memory()) {
        // Two bodies of eight megabytes, in buffers that double as they fill, and what four connections hold, of four
        // gigabytes.
        let grown = after.saturating_sub(before) / MEBIBYTE;
        assert!(grown < 128, "{grown} MiB more than before");
    }
    // It answers as before.
    let http = Http::new();
    let path = format!("{url}/payments/v1/sessions/none");
    let answer = http.send(http::Method::GET, &path, As::Basic("user", "password"), None).await;
    assert_eq!(answer.unwrap().status, 404);
    assert_eq!(process.terminate().code(), Some(0));
}
