//! `kassa listen` through the built program: callbacks to its own URL and elsewhere, each once, passed on.

use crate::terminal;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use crate::terminal::{Playground, text};
use serde_json::Value;
use testing::DEADLINE;
use testing::kassa::Process;

/// A merchant's program: takes calls, answers with a status, and says what came.
fn program(status: &'static str) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://localhost:{}/klarna", listener.local_addr().unwrap().port());
    let (sender, calls) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            let mut length = 0;
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = reader.into_inner().write_all(answer.as_bytes());
            let _ = sender.send((first.trim().to_owned(), String::from_utf8(body).unwrap()));
        }
    });
    (url, calls)
}

fn listen(playground: &Playground, flags: &[&str]) -> (Process, String) {
    let flags = [&["listen", "--listen", "127.0.0.1:0"], flags].concat();
    let mut listener = playground.follow(&flags);
    let ready = listener.event();
    assert_eq!(ready["event"], "ready", "{ready}");
    assert_eq!(ready["playground"], playground.url.as_str());
    let url = text(&ready, "url").to_owned();
    (listener, url)
}

fn trigger(playground: &Playground, scenario: &str, url: &str) -> Value {
    playground.json(&["trigger", scenario, "--callback-url", url])
}

#[test]
fn a_callback_is_shown_once_and_passed_on_with_its_answer() {
    let playground = Playground::start();
    let (program, calls) = program("204 No Content");
    let (mut listener, url) = listen(&playground, &["--forward", &program]);
    let own = format!("{url}/from-klarna?x=1");
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let made = trigger(&playground, "payment.authorized", &own);
        tokens.push(text(&made, "authorization_token").to_owned());
    }
    for token in &tokens {
        let event = listener.event();
        assert_eq!(event["kind"], "authorization", "{event}");
        assert_eq!(event["from"], "receiver");
        assert_eq!(text(&event, "url"), own);
        assert_eq!(event["body"]["authorization_token"], token.as_str());
        assert_eq!(event["status"], 204);
        assert_eq!(event["forwarded"]["status"], 204);
        let (line, body) = calls.recv_timeout(DEADLINE).unwrap();
        assert_eq!(line, "POST /klarna?x=1 HTTP/1.1");
        assert!(body.contains(token), "{body}");
    }
    // The log knows of them as well; they are not told again.
    let made = trigger(&playground, "payment.authorized", &own);
    let event = listener.event();
    assert_eq!(event["body"]["authorization_token"], made["authorization_token"]);
    assert!(listener.terminate().success());
}

#[test]
fn what_the_program_answers_klarna_gets() {
    let playground = Playground::start();
    let (program, calls) = program("503 Service Unavailable");
    let (mut listener, url) = listen(&playground, &["--forward", &program]);
    trigger(&playground, "payment.authorized", &url);
    assert_eq!(listener.event()["status"], 503);
    calls.recv_timeout(DEADLINE).unwrap();
    // So Klarna tries again.
    playground.json(&["clock", "advance", "PT10S"]);
    assert_eq!(listener.event()["status"], 503);
    calls.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn callbacks_that_go_elsewhere_are_shown_and_passed_on_once() {
    let playground = Playground::start();
    let (elsewhere, heard) = program("500 Internal Server Error");
    let (program, calls) = program("200 OK");
    let (mut listener, _) = listen(&playground, &["--forward", &program]);
    let made = trigger(&playground, "payment.authorized", &elsewhere);
    let event = listener.event();
    assert_eq!(event["from"], "playground", "{event}");
    assert_eq!(event["kind"], "authorization");
    assert_eq!(event["body"]["authorization_token"], made["authorization_token"]);
    assert_eq!((&event["attempt"], &event["status"]), (&1.into(), &500.into()));
    assert_eq!(event["forwarded"]["status"], 200);
    let (_, body) = calls.recv_timeout(DEADLINE).unwrap();
    assert!(body.contains(text(&made, "authorization_token")), "{body}");
    // The next attempt is shown, and not passed on again.
    playground.json(&["clock", "advance", "PT10S"]);
    let event = listener.event();
    assert_eq!(event["attempt"], 2, "{event}");
    assert!(event.get("forwarded").is_none(), "{event}");
    for _ in 0..2 {
        heard.recv_timeout(DEADLINE).unwrap();
    }
}

#[test]
fn only_the_kinds_that_are_wanted_are_shown() {
    let playground = Playground::start();
    let (mut listener, url) = listen(&playground, &["--kind", "hosted_status"]);
    trigger(&playground, "payment.authorized", &url);
    trigger(&playground, "hosted.back", &url);
    // Opened, and left again; Klarna sends both at once.
    let mut statuses: Vec<String> = Vec::new();
    for _ in 0..2 {
        let event = listener.event();
        assert_eq!(event["kind"], "hosted_status", "{event}");
        statuses.push(text(&event["body"]["session"], "status").to_owned());
    }
    statuses.sort();
    assert_eq!(statuses, ["BACK", "IN_PROGRESS"]);
}

#[test]
fn without_a_playground_its_own_url_is_listened_at() {
    let playground = Playground::start();
    let (address, taken) = testing::kassa::taken_address();
    drop(taken);
    let flags = [
        "listen",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--playground-url",
        &format!("http://{address}"),
    ];
    let mut listener =
        Process::start(std::path::Path::new(terminal::KASSA), playground.folder.path(), &flags);
    let ready = listener.event();
    assert_eq!(ready["playground"], Value::Null);
    assert_eq!(listener.event()["event"], "warning");
    trigger(&playground, "payment.authorized", text(&ready, "url"));
    assert_eq!(listener.event()["kind"], "authorization");
}
