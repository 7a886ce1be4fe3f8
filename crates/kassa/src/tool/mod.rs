//! Commands that talk to Klarna, to a running playground or to a running gateway, and end: calls of the APIs, callbacks as they
//! arrive, the playground's clock, faults and log, and whole stories told to it.
//!
//! They know the playground as everyone does, over HTTP. None of them starts a part, and none holds a rule
//! of Klarna's.

mod api;
mod clock;
mod control;
mod erasures;
mod failure;
mod faults;
mod gateway;
mod health;
mod listen;
mod logs;
mod requests;
mod shopper;
mod show;
mod target;
mod trigger;
mod webhooks;

use clap::Subcommand;
use serde_json::Value;

use crate::file::File;
use crate::report::{Output, out};

pub(crate) use failure::Failure;
pub(crate) use show::table;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Tool {
    /// Call any operation of Klarna's APIs: at the playground, or live
    #[command(subcommand, after_help = api::EXAMPLES)]
    Api(api::ApiCommand),
    /// Make something happen at the playground: a payment captured, a token refused, a dispute lost
    #[command(after_help = trigger::EXAMPLES)]
    Trigger(trigger::TriggerArgs),
    /// Be the shopper at the playground: authorise a session, press a button of a hosted page
    #[command(after_help = shopper::EXAMPLES)]
    Shopper(shopper::ShopperArgs),
    /// Print callbacks as they arrive, and forward them
    #[command(after_help = listen::EXAMPLES)]
    Listen(listen::ListenArgs),
    /// Print the playground's log of calls and callbacks
    #[command(after_help = logs::EXAMPLES)]
    Logs(logs::LogsArgs),
    /// Read or move the playground's clock
    #[command(after_help = clock::EXAMPLES)]
    Clock(clock::ClockArgs),
    /// Make the playground's APIs fail on purpose
    #[command(after_help = faults::EXAMPLES)]
    Faults(faults::FaultsArgs),
    /// Where the gateway tells a shop of events, and what is told again
    #[command(after_help = webhooks::EXAMPLES)]
    Webhooks(webhooks::WebhooksArgs),
    /// Have the gateway forget shoppers, and see what became of it
    #[command(after_help = erasures::EXAMPLES)]
    Erasures(erasures::ErasuresArgs),
    /// Whether the gateway is ready for traffic
    #[command(after_help = health::EXAMPLES)]
    Health(health::HealthArgs),
}

/// Does it.
pub(crate) async fn run(tool: Tool, file: &File, output: Output) -> Result<(), Failure> {
    match tool {
        Tool::Api(command) => api::run(command, file, output).await,
        Tool::Trigger(args) => trigger::run(args, file, output).await,
        Tool::Shopper(args) => shopper::run(args, file, output).await,
        Tool::Listen(args) => listen::run(args, file, output).await,
        Tool::Logs(args) => logs::run(args, file, output).await,
        Tool::Clock(args) => clock::run(args, file, output).await,
        Tool::Faults(args) => faults::run(args, file, output).await,
        Tool::Webhooks(args) => webhooks::run(args, file, output).await,
        Tool::Erasures(args) => erasures::run(args, file, output).await,
        Tool::Health(args) => health::run(args, file, output).await,
    }
}

/// An answer: a page for people, or a line for programs.
fn answer(output: Output, value: &Value, page: impl FnOnce(&Value) -> String) {
    match output {
        Output::Human => out(&page(value)),
        Output::Json => out(&format!("{value}\n")),
    }
}
