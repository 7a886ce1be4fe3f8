//! `kassa shopper`: be the shopper of a playground, in one call: authorise or finalise a session, or press a
//! button of a hosted page or an in-store link.
//!
//! What follows from it is the playground's to decide; this prints what the shopper's browser would be told.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::file::File;
use crate::report::Output;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::target::PlaygroundArgs;

pub(crate) const EXAMPLES: &str = "\
The e-mail address steers the decision, as in Klarna's own playground: customer@email.se is approved,
customer+denied@email.se is declined. Without one, the billing address of the session decides.

Examples:
  kassa shopper authorize 0b1d9815-165e-42e2-8867-35bc03789e00
  kassa shopper authorize \"$CLIENT_TOKEN\" --email customer+denied@email.se
  kassa shopper authorize \"$CLIENT_TOKEN\" --method direct_bank_transfer --hold
  kassa shopper finalize \"$CLIENT_TOKEN\"
  kassa shopper hosted approve \"$REDIRECT_URL\"
  kassa shopper hosted cancel \"$REDIRECT_URL\"";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct ShopperArgs {
    #[command(flatten)]
    playground: PlaygroundArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Press the buy button of the widget, and go through the purchase flow
    Authorize {
        #[command(flatten)]
        session: Session,
        #[command(flatten)]
        person: Person,
        /// Wait for `finalize`, where the method has a second step (`auto_finalize: false`)
        #[arg(long)]
        hold: bool,
    },
    /// Take the second step of a held authorisation
    Finalize {
        #[command(flatten)]
        session: Session,
        #[command(flatten)]
        person: Person,
    },
    /// Press a button of a hosted payment page, or of an in-store link
    Hosted {
        /// Which button
        button: Button,
        /// The page: its id, its `redirect_url` or `qr_code_url`, or an in-store `payment_link`
        page: String,
        #[command(flatten)]
        person: Person,
    },
}

/// Whose purchase it is.
#[derive(Debug, Args)]
struct Session {
    /// The session's id, or its client token
    session: String,
    /// One of the session's categories
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
}

/// Who buys.
#[derive(Debug, Args)]
struct Person {
    /// The e-mail address typed in the purchase flow
    #[arg(long)]
    email: Option<String>,
    /// The phone number typed in the purchase flow
    #[arg(long)]
    phone: Option<String>,
    /// The one-time code: any six digits but 999999 are right [default: a right one]
    #[arg(long)]
    otp: Option<String>,
    /// The method chosen, such as invoice, card, direct_debit, pay_later
    #[arg(long)]
    method: Option<String>,
    /// How an extra step of identification ends [default: failed]
    #[arg(long, value_name = "END")]
    step_up: Option<StepUp>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StepUp {
    /// The shopper is who they say
    Passed,
    /// They are not
    Failed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Button {
    /// Open the page
    Open,
    /// Pay
    Approve,
    /// Try to pay, and be declined
    Deny,
    /// The cancel button
    Cancel,
    /// The back button
    Back,
    /// Meet a technical error
    Fail,
    /// Leave without a word
    Timeout,
}

/// The value's own name, as the command line has it.
fn name(value: &impl ValueEnum) -> Value {
    value.to_possible_value().map(|value| value.get_name().into()).unwrap_or_default()
}

impl Person {
    fn tell(&self, body: &mut Map<String, Value>) {
        for (member, value) in [
            ("email", &self.email),
            ("phone", &self.phone),
            ("otp", &self.otp),
            ("payment_method", &self.method),
        ] {
            if let Some(value) = value {
                body.insert(member.to_owned(), value.as_str().into());
            }
        }
        if let Some(end) = &self.step_up {
            body.insert("step_up".to_owned(), name(end));
        }
    }
}

impl Session {
    fn tell(&self, body: &mut Map<String, Value>) {
        // A client token is a JSON Web Token: three parts with dots between. An id has none.
        let member = if self.session.contains('.') { "client_token" } else { "session_id" };
        body.insert(member.to_owned(), self.session.as_str().into());
        if let Some(category) = &self.category {
            body.insert("payment_method_category".to_owned(), category.as_str().into());
        }
    }
}

/// The call that an action is.
fn request(action: &Action) -> (&'static str, Value) {
    let mut body = Map::new();
    let path = match action {
        Action::Authorize { session, person, hold } => {
            session.tell(&mut body);
            person.tell(&mut body);
            if *hold {
                body.insert("auto_finalize".to_owned(), json!(false));
            }
            "/shopper/authorize"
        }
        Action::Finalize { session, person } => {
            session.tell(&mut body);
            person.tell(&mut body);
            "/shopper/finalize"
        }
        Action::Hosted { button, page, person } => {
            let member = if page.contains("://") { "url" } else { "hpp_session_id" };
            body.insert(member.to_owned(), page.as_str().into());
            body.insert("action".to_owned(), name(button));
            person.tell(&mut body);
            "/shopper/hosted"
        }
    };
    (path, Value::Object(body))
}

pub(crate) async fn run(args: ShopperArgs, file: &File, output: Output) -> Result<(), Failure> {
    let control = Control::of(&args.playground, file)?;
    let (path, body) = request(&args.action);
    let told = control.post(path, &body).await?;
    super::answer(output, &told, page);
    Ok(())
}

/// What the shopper's browser is told, a line for each member.
fn page(told: &Value) -> String {
    let members = told.as_object().into_iter().flatten();
    let rows = members.map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!("{name:<22}{value}\n")
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ShopperArgs,
    }

    fn told(line: &[&str]) -> (&'static str, Value) {
        let line = Line::try_parse_from([&["shopper"], line].concat()).unwrap();
        request(&line.args.action)
    }

    #[test]
    fn each_action_is_the_call_that_it_says() {
        assert_eq!(
            told(&["authorize", "a.b.c", "--email", "customer@email.se", "--hold"]),
            (
                "/shopper/authorize",
                json!({ "client_token": "a.b.c", "email": "customer@email.se", "auto_finalize": false })
            )
        );
        assert_eq!(
            told(&["finalize", "0b1d", "--step-up", "passed", "--category", "klarna"]),
            (
                "/shopper/finalize",
                json!({ "session_id": "0b1d", "step_up": "passed", "payment_method_category": "klarna" })
            )
        );
        assert_eq!(
            told(&["hosted", "approve", "http://localhost/pay/x"]),
            ("/shopper/hosted", json!({ "url": "http://localhost/pay/x", "action": "approve" }))
        );
        assert_eq!(
            told(&["hosted", "timeout", "0b1d"]),
            ("/shopper/hosted", json!({ "hpp_session_id": "0b1d", "action": "timeout" }))
        );
    }
}
