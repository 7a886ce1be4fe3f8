//! No secret and no personal datum is written to a log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::common::script::{Script, Step};
use klarna::types::payments::{CreateOrder, CreateSession};
use klarna::{Address, AuthorizationToken, Country, Currency, MinorUnits, OrderLine};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_or_personal_datum_is_written_to_a_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let script = Script::play([
        Step::Close,
        Step::Answer(200, "", r#"{"session_id":"s-1","client_token":"client-token-1"}"#),
        Step::Answer(503, "", ""),
        Step::Answer(
            403,
            "Klarna-Correlation-Id: corr-7\r\n",
            r#"{"error_code":"REJECTED","error_messages":["Rejected"]}"#,
        ),
    ])
    .await;
    let client = script.client();
    let lines = vec![OrderLine::new("Mugg", 1, MinorUnits::new(100), MinorUnits::new(100))];
    let address =
        Address::new().email("anna@example.com").family_name("Svensson").country(Country::SE);
    let session =
        CreateSession::new(Country::SE, Currency::SEK, MinorUnits::new(100), lines.clone())
            .billing_address(address.clone());
    let created = client.payments().create_session(&session).await.unwrap();
    let order = CreateOrder::new(Country::SE, Currency::SEK, MinorUnits::new(100), lines)
        .billing_address(address);
    let token = AuthorizationToken::new("authorization-token-1");
    let error = client.payments().create_order(&token, &order).await.unwrap_err();
    let printed = format!("{created:?} {error:?} {error} {client:?} {session:?} {token:?}");
    drop(guard);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();

    for secret in [
        "authorization-token-1",
        "client-token-1",
        "hush",
        "SzFfdXNlcjpodXNo",
        "anna@example.com",
        "Svensson",
    ] {
        assert!(!logged.contains(secret), "{secret} is in the log:\n{logged}");
        assert!(!printed.contains(secret), "{secret} is printed:\n{printed}");
    }
    // What an operator needs is there.
    for needed in [
        "/payments/v1/authorizations/{authorization_token}/order",
        "klarna.correlation_id=\"corr-7\"",
        "klarna.error_code=\"REJECTED\"",
        "http.response.status_code=403",
        "klarna.tries=2",
        "retry.delay_ms",
    ] {
        assert!(logged.contains(needed), "{needed} is not in the log:\n{logged}");
    }
}
