//! `kassa gateway keys` and `kassa gateway users`: for whoever runs the gateway and has no key, or cannot
//! sign in. They work on the database itself, which whoever can open may change anyway.

use std::error::Error;

use clap::Subcommand;
use gateway::operator::{Listed, Operator};
use klarna::types::secret::Secret;
use serde_json::{Value, json};
use service::SystemClock;

use crate::cli::GatewayArgs;
use crate::file::File;
use crate::report::{Output, event, out};
use crate::run::database;
use crate::settings::Home;
use crate::tool::table;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) const KEYS_EXAMPLES: &str = "\
Examples:
  kassa gateway keys list
  kassa gateway keys create 'the shop'                        may do everything
  kassa gateway keys create reports --scope payments:read --scope reports:read
  kassa gateway keys rotate key_1f0c… --overlap-seconds 3600
  kassa gateway keys revoke key_1f0c…

A key is shown once, when it is made. With SQLite the gateway has to be stopped first; with PostgreSQL
(--database) it may run.";

pub(crate) const USERS_EXAMPLES: &str = "\
Examples:
  kassa gateway users list
  kassa gateway users create eva --role admin      prints a password, once
  kassa gateway users reset-password eva           prints a new one, and signs eva out everywhere
  kassa gateway users remove-second-factor eva     when the phone is lost
  kassa gateway users disable eva

The user admin signs in with the configuration's password. With SQLite the gateway has to be stopped first;
with PostgreSQL (--database) it may run.";

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys of a store, newest first
    List {
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Make a secret key, and show it
    Create {
        /// What people call it
        name: String,
        /// What it may do, such as payments:read; repeatable [default: everything]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Put a new key in the place of one, and show it
    Rotate {
        /// The id of the old one
        id: String,
        /// How long the old one still works
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap_seconds: i64,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// End a key at once, and for good
    Revoke {
        /// Its id
        id: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
}

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List the people of a store
    List {
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Make a user with a password that is made up, and show it
    Create {
        /// The user name
        name: String,
        /// viewer, support, finance or admin
        #[arg(long, value_name = "ROLE", default_value = "viewer")]
        role: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Give somebody a new password that is made up, and sign them out everywhere
    ResetPassword {
        /// The user name
        name: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Take somebody's second factor and recovery codes away, and sign them out everywhere
    RemoveSecondFactor {
        /// The user name
        name: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Let somebody sign in no longer
    Disable {
        /// The user name
        name: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
    /// Let somebody sign in again
    Enable {
        /// The user name
        name: String,
        /// The store [default: default]
        #[arg(long, value_name = "ID")]
        store: Option<String>,
    },
}

async fn open(args: &GatewayArgs, store: Option<&str>, file: &File) -> Outcome<Operator> {
    let home = Home::resolve(&args.data, file);
    let location = database(args.database.as_deref(), file, &home)?;
    Ok(Operator::open(&location, store, SystemClock::shared()).await?)
}

/// Does something with keys.
pub(crate) async fn keys(
    args: GatewayArgs,
    command: KeysCommand,
    file: &File,
    output: Output,
) -> Outcome<()> {
    let store = match &command {
        KeysCommand::List { store }
        | KeysCommand::Create { store, .. }
        | KeysCommand::Rotate { store, .. }
        | KeysCommand::Revoke { store, .. } => store.clone(),
    };
    let operator = open(&args, store.as_deref(), file).await?;
    let done = match command {
        KeysCommand::List { .. } => operator.keys().await.map(|keys| listed(output, &keys)),
        KeysCommand::Create { name, scopes, .. } => {
            operator.make_key(&name, &scopes).await.map(|key| made(output, &key))
        }
        KeysCommand::Rotate { id, overlap_seconds, .. } => {
            operator.rotate_key(&id, overlap_seconds).await.map(|key| made(output, &key))
        }
        KeysCommand::Revoke { id, .. } => operator.revoke_key(&id).await.map(|key| match output {
            Output::Human => out("The key works no more.\n"),
            Output::Json => event("key_revoked", &key),
        }),
    };
    operator.close().await;
    Ok(done?)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn listed(output: Output, keys: &[Value]) {
    match output {
        Output::Json => event("keys", &json!({ "data": keys })),
        Output::Human if keys.is_empty() => out("There is no key.\n"),
        Output::Human => {
            let rows = keys.iter().map(|key| {
                ["id", "status", "kind", "name", "hint", "last_used_at"]
                    .map(|name| text(key, name).to_owned())
            });
            out(&table(["key", "status", "kind", "name", "ends in", "last used"], rows.collect()));
        }
    }
}

fn made(output: Output, key: &Value) {
    match output {
        Output::Human => out(&format!(
            "{}\n\nThis is shown once. Its id is {}.\n",
            text(key, "key"),
            text(key, "id")
        )),
        Output::Json => event("key_made", key),
    }
}

/// Does something with people.
pub(crate) async fn users(
    args: GatewayArgs,
    command: UsersCommand,
    file: &File,
    output: Output,
) -> Outcome<()> {
    let store = match &command {
        UsersCommand::List { store }
        | UsersCommand::Create { store, .. }
        | UsersCommand::ResetPassword { store, .. }
        | UsersCommand::RemoveSecondFactor { store, .. }
        | UsersCommand::Disable { store, .. }
        | UsersCommand::Enable { store, .. } => store.clone(),
    };
    let operator = open(&args, store.as_deref(), file).await?;
    let done = match command {
        UsersCommand::List { .. } => operator.users().await.map(|users| people(output, &users)),
        UsersCommand::Create { name, role, .. } => {
            operator.make_user(&name, &role).await.map(|new| password(output, &name, &new))
        }
        UsersCommand::ResetPassword { name, .. } => {
            operator.reset_password(&name).await.map(|new| password(output, &name, &new))
        }
        UsersCommand::RemoveSecondFactor { name, .. } => {
            operator.remove_second_factor(&name).await.map(|()| changed(output, &name))
        }
        UsersCommand::Disable { name, .. } => {
            operator.disable_user(&name).await.map(|()| changed(output, &name))
        }
        UsersCommand::Enable { name, .. } => {
            operator.enable_user(&name).await.map(|()| changed(output, &name))
        }
    };
    operator.close().await;
    Ok(done?)
}

fn people(output: Output, users: &[Listed]) {
    match output {
        Output::Json => {
            let users: Vec<Value> = users
                .iter()
                .map(|user| {
                    json!({
                        "name": user.name, "role": user.role, "second_factor": user.second_factor,
                        "disabled": user.disabled, "signed_in_at": user.signed_in_at,
                    })
                })
                .collect();
            event("users", &json!({ "data": users }));
        }
        Output::Human if users.is_empty() => {
            out("There is nobody yet: the user admin is made when the gateway first starts.\n");
        }
        Output::Human => {
            let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
            let rows = users.iter().map(|user| {
                [
                    user.name.clone(),
                    user.role.clone(),
                    yes(user.second_factor),
                    yes(!user.disabled),
                    user.signed_in_at.clone().unwrap_or_default(),
                ]
            });
            let heads = ["user", "role", "second factor", "may sign in", "last signed in"];
            out(&table(heads, rows.collect()));
        }
    }
}

fn password(output: Output, name: &str, password: &Secret) {
    match output {
        Output::Human => out(&format!(
            "{}\n\nThis password of {name} is shown once. They choose another one under My account.\n",
            password.expose()
        )),
        Output::Json => {
            event("password_made", &json!({ "name": name, "password": password.expose() }));
        }
    }
}

fn changed(output: Output, name: &str) {
    match output {
        Output::Human => out(&format!("Done for {name}, who has to sign in again.\n")),
        Output::Json => event("user_changed", &json!({ "name": name })),
    }
}
