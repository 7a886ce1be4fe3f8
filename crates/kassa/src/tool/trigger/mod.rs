//! `kassa trigger`: whole stories, made through Klarna's public APIs by the SDK, with the shopper and Klarna
//! played by the control API.

mod scenario;
mod story;

use clap::{Args, ValueEnum as _};
use klarna::{Country, Currency};
use serde_json::{Value, json};
use url::Url;

use crate::cli::web_url;
use crate::file::File;
use crate::report::Output;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::text;
use crate::tool::show;
use crate::tool::target::{self, MerchantArgs, PlaygroundArgs, Target};

use scenario::Scenario;
use story::Story;

pub(crate) const EXAMPLES: &str = "\
Each scenario begins with a new session and leaves everything it made behind, so that you can go on from there. \
Scenarios that need time to pass move the playground's clock, and say so.

Examples:
  kassa trigger --list
  kassa trigger payment.captured
  kassa trigger payment.authorized --callback-url http://localhost:7073/klarna
  kassa trigger token.refused --country DE --amount 14900
  kassa trigger dispute.lost --json | jq -r .order_id";

/// What is to happen.
#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// What is to happen; without it, or with --list, what there is
    #[arg(hide_possible_values = true)]
    scenario: Option<Scenario>,
    /// List what there is
    #[arg(long, conflicts_with = "scenario")]
    list: bool,
    /// Where the shopper buys [default: SE; US where an order is to be pending]
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    /// For how much, in minor units
    #[arg(long, value_name = "MINOR", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(2..=100_000_000))]
    amount: i64,
    /// The shopper's e-mail address, which steers what Klarna decides [default: as the scenario needs it]
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Where Klarna calls the merchant, such as the URL that `kassa listen` prints
    #[arg(long, value_name = "URL", value_parser = web_url)]
    callback_url: Option<Url>,
    #[command(flatten)]
    merchant: MerchantArgs,
    #[command(flatten)]
    playground: PlaygroundArgs,
}

pub(crate) async fn run(args: TriggerArgs, file: &File, output: Output) -> Result<(), Failure> {
    let Some(scenario) = args.scenario else {
        list(output);
        return Ok(());
    };
    let target = Target::Playground(target::playground_url(&args.playground, file)?);
    let merchant = target::Merchant::of(&args.merchant, &target, file)?;
    let client =
        target.client(&merchant)?.build().map_err(|error| Failure::usage(error.to_string()))?;
    let (country, currency, locale) = market(args.country.as_deref(), scenario)?;
    let mut story = Story {
        client,
        control: Control::of(&args.playground, file)?,
        merchant_id: merchant.merchant_id(),
        country,
        currency,
        locale,
        amount: klarna::MinorUnits::new(args.amount),
        email: args.email,
        callback_url: args.callback_url,
        made: serde_json::Map::new(),
    };
    story.made.insert("scenario".to_owned(), scenario.name().into());
    match scenario.happen(&mut story).await {
        Ok(()) => {}
        // What was made before is worth knowing.
        Err(failure) => return Err(failure.detail("made", Value::Object(story.made))),
    }
    super::answer(output, &Value::Object(story.made), page);
    Ok(())
}

fn list(output: Output) {
    let scenarios = Scenario::value_variants();
    let value = scenarios
        .iter()
        .map(|scenario| json!({ "scenario": scenario.name(), "about": scenario.about() }))
        .collect::<Vec<_>>();
    super::answer(output, &json!({ "scenarios": value }), |_| {
        let rows = scenarios.iter().map(|scenario| [scenario.name(), scenario.about()]);
        show::table(["scenario", "what happens"], rows.collect())
    });
}

fn market(
    country: Option<&str>,
    scenario: Scenario,
) -> Result<(Country, Currency, String), Failure> {
    let usual = if scenario.is_pending() { "US" } else { "SE" };
    let code = country.unwrap_or(usual);
    let country = Country::from(code);
    let market = country.market().ok_or_else(|| {
        let markets: Vec<&str> =
            klarna::types::market::MARKETS.iter().map(|market| market.country.as_str()).collect();
        Failure::usage(format!("`{}` is not one of Klarna's markets", show::plain(code)))
            .remedy(format!("one of {}", markets.join(", ")))
    })?;
    if scenario.is_pending() && !matches!(country, Country::US | Country::GB) {
        return Err(Failure::usage("orders are pending in the United States and Britain only")
            .remedy("--country US, or --country GB"));
    }
    let locale = market.locales.first().copied().unwrap_or("en-US").to_owned();
    Ok((country, market.currency.clone(), locale))
}

fn page(made: &Value) -> String {
    let mut words = show::document(made);
    let mut see = Vec::new();
    for (member, command) in [
        ("order_id", "kassa api orders get"),
        ("token_id", "kassa api customer-tokens get"),
        ("hosted_session_id", "kassa api hosted-payment-page get"),
        ("payment_reference", "kassa api settlements payout"),
        ("payment_dispute_id", "kassa api disputes get"),
    ] {
        let id = text(made, member);
        if !id.is_empty() {
            see.push(format!("  {command} {}\n", show::plain(id)));
        }
    }
    if see.is_empty() {
        let id = text(made, "session_id");
        let command = if text(made, "payment_link").is_empty() && made.get("called_off").is_none() {
            "kassa api payments get-session"
        } else {
            "kassa api in-store status"
        };
        see.push(format!("  {command} {}\n", show::plain(id)));
    }
    words = format!("{words}\nLook at it:\n{}", see.concat());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_are_found_and_pending_orders_have_theirs() {
        let of = |country, scenario| market(country, scenario).map(|(country, ..)| country);
        assert_eq!(of(None, Scenario::PaymentCaptured).unwrap(), Country::SE);
        assert_eq!(of(None, Scenario::PaymentPendingAccepted).unwrap(), Country::US);
        assert_eq!(of(Some("de"), Scenario::TokenCharged).unwrap(), Country::DE);
        assert!(of(Some("DE"), Scenario::PaymentPendingRejected).is_err());
        let failure = of(Some("LU"), Scenario::PaymentCaptured).unwrap_err();
        assert!(failure.page().contains("SE, SK, US"), "{}", failure.page());
    }
}
