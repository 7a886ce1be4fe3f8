//! What the playground answers in a second, with its data on disk: new sessions (each durable before it is answered) and
//! orders read.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::bare::Bare;
use crate::http1::{Request, ask, load};
use crate::report::{median, median_ratio, say};
use crate::sqlite::{CALLERS, RawSqlite};
use crate::world::World;

const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 15;
/// Orders that are read in turn.
const ORDERS: usize = 200;

/// A cart of three lines with everything that a shop usually sends.
pub(crate) fn session() -> Value {
    json!({
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "intent": "buy",
        "order_amount": 44_900,
        "order_tax_amount": 8_980,
        "order_lines": [
            {
                "type": "physical", "reference": "MUG-BLUE", "name": "Mugg i stengods, blå",
                "quantity": 2, "quantity_unit": "st", "unit_price": 14_900, "tax_rate": 2_500,
                "total_amount": 29_800, "total_tax_amount": 5_960,
                "product_url": "https://shop.example.org/mugg-bla",
                "image_url": "https://shop.example.org/bilder/mugg-bla.png"
            },
            {
                "type": "physical", "reference": "TRAY-OAK", "name": "Bricka i ek",
                "quantity": 1, "quantity_unit": "st", "unit_price": 10_200, "tax_rate": 2_500,
                "total_amount": 10_200, "total_tax_amount": 2_040,
                "product_url": "https://shop.example.org/bricka-ek",
                "image_url": "https://shop.example.org/bilder/bricka-ek.png"
            },
            {
                "type": "shipping_fee", "reference": "SHIP", "name": "Frakt", "quantity": 1,
                "unit_price": 4_900, "tax_rate": 2_500, "total_amount": 4_900, "total_tax_amount": 980
            }
        ],
        "merchant_reference1": "WEB-1001",
        "merchant_urls": {
            "confirmation": "https://shop.example.org/bekraftelse",
            "notification": "https://shop.example.org/klarna/handelser"
        }
    })
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut raw = RawSqlite::open(&folder.path().join("raw.db"), &session().to_string())?;
    let world = World::start(&folder.path().join("playground.db")).await?;

    let open_session: Arc<[Request]> =
        Arc::from([world.request("POST", "/payments/v1/sessions", Some(&session()))]);
    let (session_answer, _) = world.call("POST", "/payments/v1/sessions", Some(&session())).await?;
    let bare_session = Bare::start(&session_answer).await?;

    let mut read_order = Vec::with_capacity(ORDERS);
    for _ in 0..ORDERS {
        let order_id = world.buy(&session()).await?;
        read_order.push(world.request(
            "GET",
            &format!("/ordermanagement/v1/orders/{order_id}"),
            None,
        ));
    }
    let read_order: Arc<[Request]> = read_order.into();
    let order_answer = ask(world.address(), &read_order[0]).await?;
    let bare_order = Bare::start(&order_answer).await?;

    let (mut sessions, mut sessions_bare, mut orders, mut orders_bare, mut groups) =
        (vec![], vec![], vec![], vec![], vec![]);
    let group_rows = u64::try_from(CALLERS)?;
    let status = session_answer.status;
    for _ in 0..ROUNDS {
        groups.push(raw.measure(group_rows, ROUND)?);
        sessions
            .push(load(world.address(), Arc::clone(&open_session), CALLERS, status, ROUND).await?);
        sessions_bare.push(
            load(bare_session.address, Arc::clone(&open_session), CALLERS, status, ROUND).await?,
        );
        orders.push(load(world.address(), Arc::clone(&read_order), CALLERS, 200, ROUND).await?);
        orders_bare
            .push(load(bare_order.address, Arc::clone(&read_order), CALLERS, 200, ROUND).await?);
    }
    drop((bare_session, bare_order));
    world.stop().await;

    let sessions_to_bare = median_ratio(&sessions, &sessions_bare);
    let sessions_to_group = median_ratio(&sessions, &groups);
    let orders_to_bare = median_ratio(&orders, &orders_bare);
    let orders_to_group = median_ratio(&orders, &groups);
    say("playground.sessions.create", median(sessions), "requests/s");
    say("playground.sessions.create.bare_handler", median(sessions_bare), "requests/s");
    say("playground.sessions.create.to.bare_handler", sessions_to_bare, "ratio");
    say("playground.sessions.create.raw_group_commit", median(groups), "rows/s");
    say("playground.sessions.create.to.raw_group_commit", sessions_to_group, "ratio");
    say("playground.orders.read", median(orders), "requests/s");
    say("playground.orders.read.bare_handler", median(orders_bare), "requests/s");
    say("playground.orders.read.to.bare_handler", orders_to_bare, "ratio");
    say("playground.orders.read.to.raw_group_commit", orders_to_group, "ratio");
    Ok(())
}
