//! Three gateway nodes on one PostgreSQL, a playground that fails in every way it knows, and 32 shops: nodes
//! are killed as the power goes, PostgreSQL crashes in the middle, and afterwards all books are compared.
//!
//! `cargo xtask soak` runs it, with a PostgreSQL server of its own that it may crash; without one there is
//! nothing to do here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail where it stands, and says how far it has come"
)]

mod books;
mod shop;
mod town;

use std::time::{Duration, Instant};

use town::Town;

/// How long the shops trade, unless it is said.
const TRADE: Duration = Duration::from_secs(10);
const SHOPS: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_no_payment_and_make_none_twice() {
    let Some(town) = Town::build() else { return };
    let town = std::sync::Arc::new(town);
    town.break_klarna().await;
    let trade = std::env::var("KASSA_SOAK_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .map_or(TRADE, Duration::from_secs);
    let until = Instant::now() + trade;
    let chaos = {
        let town = std::sync::Arc::clone(&town);
        tokio::task::spawn_blocking(move || town.rage(until))
    };
    let shops: Vec<_> = (0..SHOPS)
        .map(|number| tokio::spawn(shop::trade(std::sync::Arc::clone(&town), number, until)))
        .collect();
    let kills = chaos.await.unwrap();
    eprintln!("{kills} nodes were killed; the storm is over");
    town.mend_klarna().await;
    let mut purchases = Vec::new();
    for shop in shops {
        purchases.extend(shop.await.unwrap());
    }
    eprintln!("{} purchases; now everything comes to rest", purchases.len());
    let rest = books::come_to_rest(&town).await;
    let counted = books::compare(&town, &purchases).await;
    eprintln!("{rest}; {counted}");
    assert!(kills > 0 && !purchases.is_empty(), "nothing was shown");
}
