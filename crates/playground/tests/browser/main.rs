//! The browser side in a real browser: a small shop's page on another origin, the library in it, and
//! a shopper who clicks. Every row of the callback table and of the error table has a case here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "tests fail where they stand; the support is shared with the tests without a browser"
)]

#[path = "../it/common/mod.rs"]
mod common;
mod errors;
mod express;
mod flows;
mod hosted;
mod identity;
mod loading;
mod messaging;
mod mobile;
mod pages;
mod payment_requests;
mod phone;
mod seen_pages;
mod stage;
mod web_sdk;

use pages::Pages;
use stage::Stage;
use testing::browser::Screen;

/// One browser for all cases: starting it is what costs. Each case has a session and a page of its
/// own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_in_a_desktop_browser() {
    let stage = Stage::start("playground/desktop", Screen::Wide).await;
    loading::cases(&stage).await;
    errors::cases(&stage).await;
    flows::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn express_checkout() {
    let stage = Stage::start("playground/express", Screen::Wide).await;
    express::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn express_checkout_on_a_phone() {
    let stage = Stage::start("playground/express-phone", Screen::Phone).await;
    express::on_a_phone(&stage).await;
    payment_requests::on_a_phone(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payment_requests_of_the_web_sdk() {
    let stage = Stage::start("playground/payment-requests", Screen::Wide).await;
    payment_requests::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_as_they_are_seen_in_the_wild() {
    let stage = Stage::start("playground/seen-pages", Screen::Wide).await;
    seen_pages::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_purchase_flow_on_a_phone() {
    let stage = Stage::start("playground/phone", Screen::Phone).await;
    phone::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_in_an_app() {
    let stage = Stage::start("playground/mobile", Screen::Phone).await;
    mobile::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosted_page_on_a_desk() {
    let stage = Stage::start("playground/hosted-desktop", Screen::Wide).await;
    hosted::cases(&stage).await;
    hosted::on_the_narrowest_screen(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosted_page_on_a_phone() {
    let stage = Stage::start("playground/hosted-phone", Screen::Phone).await;
    hosted::cases(&stage).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_web_sdk_on_a_desk() {
    let pages = Pages::start("playground/web-sdk", Screen::Wide).await;
    web_sdk::cases(&pages).await;
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placements_on_a_desk() {
    let pages = Pages::start("playground/placements-desktop", Screen::Wide).await;
    messaging::cases(&pages).await;
    messaging::every_locale_fits(&pages).await;
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placements_on_a_phone() {
    let pages = Pages::start("playground/placements-phone", Screen::Phone).await;
    messaging::cases(&pages).await;
    pages.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_with_klarna_on_a_desk() {
    let shop = identity::Shop::start("playground/identity-desktop", Screen::Wide).await;
    identity::cases(&shop).await;
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_with_klarna_on_a_phone() {
    let shop = identity::Shop::start("playground/identity-phone", Screen::Phone).await;
    identity::cases(&shop).await;
    shop.stop().await;
}
