//! The page at `/`: what this is and where things are.

use axum::extract::State;
use maud::{DOCTYPE, Markup, html};
use service::Clock as _;

use crate::app::App;

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.1rem; margin-top: 2rem }
code { font-size: .9em } td { padding: .2rem 1rem .2rem 0; vertical-align: top }
td code { overflow-wrap: anywhere } .badge { white-space: nowrap; background: #ffd166; color: #222; border-radius: .3rem; padding: .1rem .5rem; font-size: .8rem }
";

/// `GET /`.
pub(super) async fn index(State(app): State<App>) -> Markup {
    let base = app.base_url();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Kassa playground" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "Kassa playground " span.badge { "test, no real money" } }
                p {
                    "Klarna's side of the wire, offline. Merchants call Klarna's own paths here; "
                    "what they do is kept, and time can be moved. Its clock stands at "
                    code { (format!("{:.0}", app.clock().now())) } "."
                }
                h2 { "Klarna's APIs" }
                table {
                    tr { td { code { (base) "/payments/v1/…" } } td { "Payments" } }
                    tr { td { code { (base) "/ordermanagement/v1/orders/…" } } td { "Order Management" } }
                    tr { td { code { (base) "/hpp/v1/sessions/…" } } td { "Hosted Payment Page" } }
                    tr { td { code { (base) "/customer-token/v1/tokens/…" } } td { "Customer Token" } }
                    tr { td { code { (base) "/settlements/v1/…" } } td { "Settlements" } }
                    tr { td { code { (base) "/v4/payment/disputes/…" } } td { "Disputes" } }
                    tr { td { code { (base) "/iss/v1/distributions/…" } } td { "In-store" } }
                    tr { td { code { (base) "/kp/lib/v1/api.js" } } td { "Browser library" } }
                }
                h2 { "The playground's own" }
                table {
                    tr {
                        td { code { "POST /playground/v1/shopper/authorize" } }
                        td { "be the shopper in one call" }
                    }
                    tr {
                        td { code { "POST /playground/v1/shopper/hosted" } }
                        td { "be the shopper on a hosted payment page" }
                    }
                    tr {
                        td { a href="/playground/outbox" { code { "/playground/outbox" } } }
                        td { "the messages that shoppers would have received" }
                    }
                    tr { td { code { "GET, POST /playground/v1/clock" } } td { "read and move time" } }
                    tr {
                        td { a href="/playground/v1/requests" { code { "/playground/v1/requests" } } }
                        td { "every call and callback, newest first" }
                    }
                    tr {
                        td { a href="/playground/v1/merchants" { code { "/playground/v1/merchants" } } }
                        td { "the merchants" }
                    }
                    tr { td { code { "POST /playground/v1/reset" } } td { "forget everything" } }
                    tr {
                        td { a href="/playground/v1/openapi.json" { code { "/playground/v1/openapi.json" } } }
                        td { "their description" }
                    }
                }
            }
        }
    }
}
