//! What whoever runs the gateway does on the command line, on the database itself: the way back in when no
//! key and no password work any more, and what belongs to a database that was put back.
//!
//! It asks for no key: whoever can open the database and has its master key can do everything anyway. What
//! is done is in the audit log, by `command line`. On SQLite the gateway must not run meanwhile; on
//! PostgreSQL it may. Each change takes effect at once on every node, since keys and sessions are looked up
//! in the database.

use std::sync::Arc;

use jiff::Timestamp;
use klarna_types::Secret;
use serde_json::{Value, json};
use service::Clock;
use storage::{Database, Location};

use crate::StartError;
use crate::access::passwords::Passwords;
use crate::api::keys::act::{self, By, NotDone};
use crate::api::keys::create;
use crate::api::keys::view::KeyView;
use crate::api::keys::{Drawn, draw_from};
use crate::app::DEFAULT_STORE;
use crate::domain::access_key::{Key, Kind, Rejection, Wish};
use crate::domain::idempotency;
use crate::domain::role::Role;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::user::{self, BOOTSTRAP_USER, Unfit};
use crate::engine::reconcile::{self, Begun};
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::migrations::MIGRATIONS;
use crate::store::users::{self, User};
use crate::store::{access, keys, reread, sessions};

/// The most keys that are listed.
const MOST_KEYS: i64 = 1_000;
/// So many random characters are a password that is made up.
const MADE_UP: usize = 24;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The database could not be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] storage::Error),
    /// The gateway's own work failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// There is no such store.
    #[error("there is no store {0}")]
    NoStore(String),
    /// There is no such key.
    #[error("the store {store} has no key {id}: `kassa gateway keys list` names them")]
    NoKey {
        /// The store.
        store: String,
        /// What was asked for.
        id: String,
    },
    /// The rules of keys forbid it.
    #[error(transparent)]
    Key(#[from] Rejection),
    /// There is no such user.
    #[error("there is no user {0}: `kassa gateway users list` names them")]
    NoUser(String),
    /// There is one of that name.
    #[error("there is a user {0} already: give them a password or a role instead")]
    UserExists(String),
    /// There is no such role.
    #[error("there is no role {0}: viewer, support, finance or admin")]
    NoRole(String),
    /// The name or the password will not do.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The user of the configuration is changed there.
    #[error(
        "the user admin belongs to the configuration: its password is KASSA_DASHBOARD_PASSWORD, and \
         it is always an admin; only its second factor can be taken away here"
    )]
    Configured,
    /// A password could not be hashed.
    #[error("a password could not be hashed, for want of memory")]
    Hash,
}

impl From<NotDone> for OperatorError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Unknown => Self::Fault(Fault::inconsistent("a key is gone")),
            NotDone::Rejected(rejection) => Self::Key(rejection),
            NotDone::Fault(fault) => Self::Fault(fault),
        }
    }
}

type Done<T> = Result<T, OperatorError>;

/// A database, opened by whoever runs the gateway.
#[derive(Debug)]
pub struct Operator {
    database: Database,
    clock: Arc<dyn Clock>,
    store_id: String,
}

/// A user, as whoever runs the gateway sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What they type to sign in.
    pub name: String,
    /// What they may do.
    pub role: String,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// Whether they may sign in.
    pub disabled: bool,
    /// When they last did.
    pub signed_in_at: Option<String>,
}

/// A point in time as the gateway writes it everywhere.
pub fn time_text(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

/// Has a database that was put back from a copy ask Klarna what happened since; the gateway that is
/// started on it next does so. None may run on it meanwhile.
pub async fn reconcile(location: &Location, clock: &dyn Clock) -> Result<Begun, StartError> {
    let database = Database::open(location, MIGRATIONS).await?;
    let begun = reconcile::begin(&database, clock).await;
    database.close().await;
    Ok(begun?)
}

fn fresh_id(prefix: &str) -> String {
    let digest = idempotency::digest(&service::random::secret());
    format!("{prefix}_{}", digest.get(..32).unwrap_or(&digest))
}

impl Operator {
    /// Opens a database. `store_id` is the store that keys are of; the only one, if it is not said.
    pub async fn open(
        location: &Location,
        store_id: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Done<Self> {
        let database = Database::open(location, MIGRATIONS).await?;
        let store_id = store_id.unwrap_or(DEFAULT_STORE).to_owned();
        let now_ms = clock.now_ms();
        let stores = database
            .write(move |tx| {
                access::ensure_store(tx, DEFAULT_STORE, "Default store", now_ms)?;
                reread::stores(tx)
            })
            .await?;
        if !stores.contains(&store_id) {
            database.close().await;
            return Err(OperatorError::NoStore(store_id));
        }
        Ok(Self { database, clock, store_id })
    }

    /// Closes the database.
    pub async fn close(self) {
        self.database.close().await;
    }

    fn by(&self) -> By {
        By {
            actor: actor(),
            store_id: self.store_id.clone(),
            scopes: Scopes::everything(),
            audit_id: fresh_id("aud"),
        }
    }

    /// The store's keys, newest first.
    pub async fn keys(&self) -> Done<Vec<Value>> {
        let (store_id, now_ms) = (self.store_id.clone(), self.clock.now_ms());
        let found =
            self.database.read_long(move |tx| keys::list(tx, &store_id, None, MOST_KEYS)).await?;
        Ok(found.iter().map(|key| shown(key, now_ms)).collect())
    }

    /// Makes a secret key; it may do everything unless scopes are named. The answer shows it, once.
    pub async fn make_key(&self, name: &str, scopes: &[String]) -> Done<Value> {
        let now_ms = self.clock.now_ms();
        let all = || Scope::ALL.iter().map(|scope| scope.name().to_owned()).collect();
        let wish = Wish {
            name: name.to_owned(),
            kind: Kind::Secret,
            scopes: if scopes.is_empty() { all() } else { scopes.to_vec() },
            origins: Vec::new(),
            expires_at_ms: None,
        };
        let grant = wish.grant(Scopes::everything(), now_ms)?;
        let drawn = drawn(Kind::Secret);
        let secret = drawn.secret.clone();
        let by = self.by();
        let key = self
            .database
            .write(move |tx| {
                let told = (&by.actor, by.audit_id.as_str());
                create::make(tx, &by.store_id, told, &drawn, &grant, now_ms)
            })
            .await?;
        Ok(with_secret(&key, &secret, now_ms))
    }

    /// Puts a new key in the place of one, which works on for so long. The answer shows it, once.
    pub async fn rotate_key(&self, id: &str, overlap_seconds: i64) -> Done<Value> {
        let (now_ms, by, wanted) = (self.clock.now_ms(), self.by(), id.to_owned());
        let drawn = (Arc::new(drawn(Kind::Secret)), Arc::new(drawn(Kind::Publishable)));
        let overlap_ms = overlap_seconds.saturating_mul(1000);
        let replaced = self
            .database
            .write(move |tx| {
                let (secret, publishable) = drawn.clone();
                let pick = move |old: &Key| match old.kind {
                    Kind::Secret => Drawn::clone(&secret),
                    Kind::Publishable => Drawn::clone(&publishable),
                };
                act::replace(tx, &by, &wanted, overlap_ms, pick, now_ms)
            })
            .await;
        let (key, secret) = replaced.map_err(|not_done| self.no_key(not_done, id))?;
        Ok(with_secret(&key, &secret, now_ms))
    }

    /// Ends a key at once, and for good.
    pub async fn revoke_key(&self, id: &str) -> Done<Value> {
        let (now_ms, by, wanted) = (self.clock.now_ms(), self.by(), id.to_owned());
        let ended = self.database.write(move |tx| act::end(tx, &by, &wanted, now_ms)).await;
        let key = ended.map_err(|not_done| self.no_key(not_done, id))?;
        Ok(shown(&key, now_ms))
    }

    fn no_key(&self, not_done: NotDone, id: &str) -> OperatorError {
        match not_done {
            NotDone::Unknown => {
                OperatorError::NoKey { store: self.store_id.clone(), id: id.to_owned() }
            }
            other => other.into(),
        }
    }

    /// The store's people, by name.
    pub async fn users(&self) -> Done<Vec<Listed>> {
        let store_id = self.store_id.clone();
        let found = self.database.read(move |tx| users::list(tx, &store_id)).await?;
        Ok(found
            .into_iter()
            .map(|user| Listed {
                name: user.name,
                role: user.role.name().to_owned(),
                second_factor: user.totp_seed.is_some(),
                disabled: user.disabled_at_ms.is_some(),
                signed_in_at: user.signed_in_at_ms.map(time_text),
            })
            .collect())
    }

    /// Makes a user with a password that is made up; the answer is the password, shown once.
    pub async fn make_user(&self, name: &str, role: &str) -> Done<Secret> {
        let name = user::read_name(name)?;
        let role = Role::from_name(role).ok_or_else(|| OperatorError::NoRole(role.to_owned()))?;
        let (password, hash) = made_up_password().await?;
        let now_ms = self.clock.now_ms();
        let made = User {
            id: fresh_id("usr"),
            store_id: self.store_id.clone(),
            name: name.clone(),
            role,
            password_hash: Some(hash),
            totp_seed: None,
            totp_pending: None,
            totp_step: 0,
            created_at_ms: now_ms,
            signed_in_at_ms: None,
            disabled_at_ms: None,
        };
        let audit_id = fresh_id("aud");
        let added = self
            .database
            .write(move |tx| {
                let added = users::insert(tx, &made)?;
                if added {
                    let data = json!({ "name": made.name, "to": made.role.name() });
                    kept(tx, &audit_id, &made, "user.made", &data, now_ms)?;
                }
                Ok::<_, Fault>(added)
            })
            .await?;
        if added { Ok(password) } else { Err(OperatorError::UserExists(name)) }
    }

    /// Gives somebody a password that is made up, lets them sign in and signs them out everywhere; the
    /// answer is the password, shown once.
    pub async fn reset_password(&self, name: &str) -> Done<Secret> {
        let (password, hash) = made_up_password().await?;
        self.change(name, "user.password_set", Configured::Refused, move |tx, user| {
            users::set_password(tx, &user.id, &hash)?;
            users::set_disabled(tx, &user.id, None)
        })
        .await?;
        Ok(password)
    }

    /// Takes somebody's second factor and recovery codes away, and signs them out everywhere.
    pub async fn remove_second_factor(&self, name: &str) -> Done<()> {
        self.change(name, "user.second_factor_removed", Configured::Allowed, |tx, user| {
            users::set_seed(tx, &user.id, None, 0)
        })
        .await
    }

    /// Lets somebody sign in no longer.
    pub async fn disable_user(&self, name: &str) -> Done<()> {
        let now_ms = self.clock.now_ms();
        self.change(name, "user.disabled", Configured::Refused, move |tx, user| {
            users::set_disabled(tx, &user.id, Some(now_ms))
        })
        .await
    }

    /// Lets somebody sign in again.
    pub async fn enable_user(&self, name: &str) -> Done<()> {
        self.change(name, "user.enabled", Configured::Allowed, |tx, user| {
            users::set_disabled(tx, &user.id, None)
        })
        .await
    }

    /// Changes something about somebody and ends their sessions, in one unit of work.
    async fn change(
        &self,
        name: &str,
        action: &'static str,
        configured: Configured,
        change: impl Fn(&mut storage::Tx<'_>, &User) -> Result<(), Fault> + Send + 'static,
    ) -> Done<()> {
        let name = user::read_name(name)?;
        if configured == Configured::Refused && name == BOOTSTRAP_USER {
            return Err(OperatorError::Configured);
        }
        let (wanted, store_id, audit_id) = (name.clone(), self.store_id.clone(), fresh_id("aud"));
        let now_ms = self.clock.now_ms();
        let found = self
            .database
            .write(move |tx| {
                let found = users::by_name(tx, &wanted)?.filter(|user| user.store_id == store_id);
                let Some(user) = found else { return Ok(false) };
                change(tx, &user)?;
                sessions::close_others(tx, &user.id, None)?;
                kept(tx, &audit_id, &user, action, &json!({ "name": user.name }), now_ms)?;
                Ok::<_, Fault>(true)
            })
            .await?;
        if found { Ok(()) } else { Err(OperatorError::NoUser(name)) }
    }
}

/// Whether something may be done to the user whose password the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configured {
    Allowed,
    Refused,
}

fn actor() -> Actor {
    Actor::system("command line")
}

fn kept(
    tx: &mut storage::Tx<'_>,
    audit_id: &str,
    user: &User,
    action: &str,
    data: &Value,
    now_ms: i64,
) -> Result<(), Fault> {
    let actor = actor();
    let deed =
        Deed { id: audit_id, store_id: &user.store_id, actor: &actor, action, subject: &user.id };
    audit::append(tx, deed, data, now_ms)
}

fn drawn(kind: Kind) -> Drawn {
    draw_from(kind, &service::random::secret(), fresh_id("key"))
}

async fn made_up_password() -> Done<(Secret, String)> {
    let text: String = service::random::secret().chars().take(MADE_UP).collect();
    let password = Secret::from(text);
    let hash = Passwords::default().hash(&password).await.map_err(|_| OperatorError::Hash)?;
    Ok((password, hash))
}

fn shown(key: &Key, now_ms: i64) -> Value {
    serde_json::to_value(KeyView::new(key, now_ms)).unwrap_or_default()
}

fn with_secret(key: &Key, secret: &str, now_ms: i64) -> Value {
    let view = KeyView { key: Some(secret.to_owned()), ..KeyView::new(key, now_ms) };
    serde_json::to_value(view).unwrap_or_default()
}
