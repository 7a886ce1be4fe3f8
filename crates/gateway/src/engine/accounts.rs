//! The Klarna accounts of all stores, ready to be called.
//!
//! Accounts are few and asked for with every call, so they are kept in memory. What another node
//! changes is noticed within seconds, and at once when an account is missing. The account that the
//! gateway was started with stands behind those that are stored.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use klarna_types::{Country, Secret};
use parking_lot::RwLock;
use storage::Database;

use super::klarna::{Accounts, Boxed, Klarna, Listed};
use crate::domain::account::{self, Account, CONFIGURED};
use crate::fault::Fault;
use crate::store::accounts;
use crate::vault::Vault;

/// How often other nodes' changes are looked for.
const LOOK_EVERY_MS: i64 = 5000;

/// Makes a caller of Klarna from host, user name and password.
pub type Connect =
    Arc<dyn Fn(&str, &str, &Secret) -> Result<Arc<dyn Klarna>, klarna::BuildError> + Send + Sync>;

/// One account for one store, whatever the country.
pub struct OfStore {
    /// The store.
    pub store_id: String,
    /// The account.
    pub account: Arc<dyn Klarna>,
}

impl Accounts for OfStore {
    fn all(&self) -> Vec<Listed> {
        let (store_id, account_id) = (self.store_id.clone(), CONFIGURED.to_owned());
        vec![Listed { store_id, account_id, version: 0 }]
    }

    fn account(&self, store_id: &str, _country: &str) -> Option<Arc<dyn Klarna>> {
        (store_id == self.store_id).then(|| Arc::clone(&self.account))
    }
}

/// All accounts.
pub struct Directory {
    database: Database,
    vault: Vault,
    connect: Connect,
    configured: Configured,
    known: RwLock<Known>,
    looked_at_ms: AtomicI64,
}

/// What the gateway was started with.
pub struct Configured {
    /// The accounts.
    pub accounts: Arc<dyn Accounts>,
    /// The host that they call.
    pub base_url: String,
}

#[derive(Default)]
struct Known {
    mark: (i64, i64),
    accounts: Vec<(Account, Arc<dyn Klarna>)>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

impl Directory {
    /// The stored accounts, and behind them the configured ones.
    pub async fn open(
        database: Database,
        vault: Vault,
        connect: Connect,
        configured: Configured,
    ) -> Result<Self, Fault> {
        let directory = Self {
            database,
            vault,
            connect,
            configured,
            known: RwLock::default(),
            looked_at_ms: AtomicI64::new(i64::MIN),
        };
        // A secret that cannot be opened is the operator's to mend, and now they are looking.
        directory.load(OnSealed::Fail).await?;
        Ok(directory)
    }

    async fn load(&self, on_sealed: OnSealed) -> Result<(), Fault> {
        let (mark, stored) = self
            .database
            .read(|tx| Ok::<_, Fault>((accounts::mark(tx)?, accounts::all(tx)?)))
            .await?;
        let mut loaded = Vec::with_capacity(stored.len());
        for (account, sealed) in stored {
            // Its client has connections and knows the rate limits: it is kept while it can be.
            let same = self
                .known
                .read()
                .accounts
                .iter()
                .find(|(known, _)| known.id == account.id && known.version == account.version)
                .map(|(_, klarna)| Arc::clone(klarna));
            if let Some(klarna) = same {
                loaded.push((account, klarna));
                continue;
            }
            match self.connect(&account, &sealed) {
                Ok(klarna) => loaded.push((account, klarna)),
                Err(fault) if on_sealed == OnSealed::Fail => return Err(fault),
                Err(error) => {
                    tracing::error!(account.id = %account.id, %error, "an account cannot be used");
                }
            }
        }
        *self.known.write() = Known { mark, accounts: loaded };
        Ok(())
    }

    fn connect(&self, account: &Account, sealed: &str) -> Result<Arc<dyn Klarna>, Fault> {
        let password = accounts::password(&self.vault, &account.id, sealed)?;
        (self.connect)(&account.base_url, &account.username, &password).map_err(Fault::inconsistent)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnSealed {
    Fail,
    Skip,
}

impl Accounts for Directory {
    fn all(&self) -> Vec<Listed> {
        let mut all = self.configured.accounts.all();
        all.extend(self.known.read().accounts.iter().map(|(account, _)| Listed {
            store_id: account.store_id.clone(),
            account_id: account.id.clone(),
            version: account.version,
        }));
        all
    }

    fn account(&self, store_id: &str, country: &str) -> Option<Arc<dyn Klarna>> {
        let id = self.choose(store_id, country)?;
        self.named(store_id, &id, country)
    }

    fn choose(&self, store_id: &str, country: &str) -> Option<String> {
        let known = self.known.read();
        let of_store = known
            .accounts
            .iter()
            .map(|(account, _)| account)
            .filter(|account| account.store_id == store_id);
        account::choose(of_store, &Country::from(country))
            .map(|account| account.id.clone())
            .or_else(|| {
                self.configured.accounts.account(store_id, country).map(|_| CONFIGURED.to_owned())
            })
    }

    fn named(&self, store_id: &str, account_id: &str, country: &str) -> Option<Arc<dyn Klarna>> {
        if account_id == CONFIGURED {
            return self.configured.accounts.account(store_id, country);
        }
        let known = self.known.read();
        known
            .accounts
            .iter()
            .find(|(account, _)| account.id == account_id && account.store_id == store_id)
            .map(|(_, klarna)| Arc::clone(klarna))
    }

    fn base_url(&self, account_id: &str) -> Option<String> {
        if account_id == CONFIGURED {
            return Some(self.configured.base_url.clone());
        }
        let known = self.known.read();
        let mut accounts = known.accounts.iter();
        accounts
            .find(|(account, _)| account.id == account_id)
            .map(|(account, _)| account.base_url.clone())
    }

    fn refresh(&self, now_ms: i64) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async move {
            let looked_at_ms = self.looked_at_ms.load(Ordering::Relaxed);
            if now_ms.saturating_sub(looked_at_ms) < LOOK_EVERY_MS && now_ms >= looked_at_ms {
                return Ok(());
            }
            self.looked_at_ms.store(now_ms, Ordering::Relaxed);
            self.refresh_now().await
        })
    }

    fn refresh_now(&self) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async move {
            let mark = self.database.read(accounts::mark).await?;
            let is_known = self.known.read().mark == mark;
            if is_known { Ok(()) } else { self.load(OnSealed::Skip).await }
        })
    }
}
