//! The credentials that Kassa makes up on first use, so that nobody must configure anything to
//! start: a test merchant at Klarna's side, a key and a dashboard password for the gateway, and
//! the shop's session secret.
//!
//! They are kept in `credentials.json` in the data directory, readable by its owner alone, since
//! each is known in the clear only here (the gateway itself keeps hashes).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use klarna::types::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::cli::MerchantSpec;

/// The file's name inside the data directory.
const FILE: &str = "credentials.json";

/// The test merchant that is made up.
const MERCHANT_ID: &str = "K123456";

/// What was made up.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) merchant_id: String,
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) api_key: Secret,
    pub(crate) dashboard_password: Secret,
    pub(crate) session_secret: Secret,
    /// The merchant that the playground here was last started with, where it is not the one that was made up.
    pub(crate) merchant: Option<MerchantSpec>,
}

/// The form on disk: the one place where the secrets are written out.
#[derive(Serialize, Deserialize)]
struct Stored {
    merchant_id: String,
    username: String,
    password: String,
    api_key: String,
    dashboard_password: String,
    session_secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant: Option<StoredMerchant>,
}

#[derive(Serialize, Deserialize)]
struct StoredMerchant {
    merchant_id: String,
    username: String,
    password: String,
}

/// The credentials cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}")]
pub(crate) struct CredentialsError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Credentials {
    /// Fresh ones.
    pub(crate) fn generate() -> Self {
        let hex = service::random::secret;
        let short = |text: String, length: usize| text.chars().take(length).collect::<String>();
        Self {
            merchant_id: MERCHANT_ID.to_owned(),
            username: format!("{MERCHANT_ID}_{}", short(hex(), 12)),
            password: Secret::from(format!("klarna_test_api_{}", short(hex(), 32))),
            api_key: Secret::from(format!("kassa_sk_{}", hex())),
            dashboard_password: Secret::from(short(hex(), 20)),
            session_secret: Secret::from(hex()),
            merchant: None,
        }
    }

    /// Those of the data directory, made up and kept there on first use.
    pub(crate) fn load_or_create(data_dir: &Path) -> Result<Self, CredentialsError> {
        if let Some(kept) = Self::load(data_dir)? {
            return Ok(kept);
        }
        let path = data_dir.join(FILE);
        let credentials = Self::generate();
        credentials.write(data_dir, path)?;
        Ok(credentials)
    }

    /// Keeps whom the playground here is started with, so that the commands that call it find their credentials.
    pub(crate) fn remember(
        data_dir: &Path,
        merchant: &MerchantSpec,
    ) -> Result<(), CredentialsError> {
        let mut credentials = Self::load_or_create(data_dir)?;
        let is_made_up = merchant.merchant_id == credentials.merchant_id
            && merchant.username == credentials.username
            && merchant.password.expose() == credentials.password.expose();
        let kept = (!is_made_up).then(|| merchant.clone());
        let same = match (&kept, &credentials.merchant) {
            (None, None) => true,
            (Some(new), Some(old)) => {
                new.merchant_id == old.merchant_id
                    && new.username == old.username
                    && new.password.expose() == old.password.expose()
            }
            _ => false,
        };
        if same {
            return Ok(());
        }
        credentials.merchant = kept;
        credentials.write(data_dir, data_dir.join(FILE))
    }

    fn write(&self, data_dir: &Path, path: PathBuf) -> Result<(), CredentialsError> {
        self.create(data_dir, &path).map_err(|source| CredentialsError {
            action: "write",
            path,
            source,
        })
    }

    /// Those of the data directory, if it has any.
    pub(crate) fn load(data_dir: &Path) -> Result<Option<Self>, CredentialsError> {
        let path = data_dir.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Stored>(&bytes) {
                Ok(stored) => Ok(Some(stored.into())),
                Err(error) => {
                    Err(CredentialsError { action: "understand", path, source: error.into() })
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CredentialsError { action: "read", path, source }),
        }
    }

    fn create(&self, data_dir: &Path, path: &Path) -> std::io::Result<()> {
        private_directory(data_dir)?;
        let stored = Stored {
            merchant_id: self.merchant_id.clone(),
            username: self.username.clone(),
            password: self.password.expose().to_owned(),
            api_key: self.api_key.expose().to_owned(),
            dashboard_password: self.dashboard_password.expose().to_owned(),
            session_secret: self.session_secret.expose().to_owned(),
            merchant: self.merchant.as_ref().map(|merchant| StoredMerchant {
                merchant_id: merchant.merchant_id.clone(),
                username: merchant.username.clone(),
                password: merchant.password.expose().to_owned(),
            }),
        };
        // Written beside and renamed, so that a crash leaves the whole file or none.
        let draft = path.with_extension("json.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(&stored)?)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    }
}

impl From<Stored> for Credentials {
    fn from(stored: Stored) -> Self {
        Self {
            merchant_id: stored.merchant_id,
            username: stored.username,
            password: Secret::from(stored.password),
            api_key: Secret::from(stored.api_key),
            dashboard_password: Secret::from(stored.dashboard_password),
            session_secret: Secret::from(stored.session_secret),
            merchant: stored.merchant.map(|merchant| MerchantSpec {
                merchant_id: merchant.merchant_id,
                username: merchant.username,
                password: Secret::from(merchant.password),
            }),
        }
    }
}

pub(crate) fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let first = Credentials::load_or_create(&data_dir).unwrap();
        let second = Credentials::load_or_create(&data_dir).unwrap();
        assert_eq!(first.api_key.expose(), second.api_key.expose());
        assert_eq!(first.username, second.username);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&data_dir), 0o700);
            assert_eq!(mode(&data_dir.join(FILE)), 0o600);
        }
        assert!(!format!("{first:?}").contains(first.api_key.expose()));
    }

    #[test]
    fn the_merchant_that_was_given_is_remembered_until_another_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let made_up = Credentials::load_or_create(folder.path()).unwrap();
        let given: MerchantSpec = "K1=user:password".parse().unwrap();
        let kept = || Credentials::load(folder.path()).unwrap().unwrap();
        Credentials::remember(folder.path(), &given).unwrap();
        assert_eq!(kept().merchant.unwrap().username, "user");
        assert_eq!(kept().api_key.expose(), made_up.api_key.expose());
        let own = MerchantSpec {
            merchant_id: made_up.merchant_id.clone(),
            username: made_up.username.clone(),
            password: made_up.password.clone(),
        };
        Credentials::remember(folder.path(), &own).unwrap();
        assert!(kept().merchant.is_none());
    }

    #[test]
    fn a_damaged_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        let error = Credentials::load_or_create(folder.path()).unwrap_err();
        assert!(error.to_string().starts_with("cannot understand"), "{error}");
        assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), b"{");
    }
}
