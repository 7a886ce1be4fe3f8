//! SFTP accounts beside those that merchants' credentials open, and sending a report once more: what
//! Klarna's merchant portal has under Settings and Settlements.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::settlements::PaymentReference;
use klarna_types::{MerchantId, Secret};
use russh::keys::{HashAlg, PublicKey};
use serde::{Deserialize, Serialize};
use service::Clock as _;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::sftp::{MAX_ACCOUNTS, is_directory};
use crate::store::sftp::{self, Account};
use crate::store::{StoreError, settlements};

/// Public keys of one account.
const MAX_KEYS: usize = 16;

/// Merchants of one account.
const MAX_FOLDERS: usize = 64;

/// An account to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// The merchant it is for (MID).
    merchant_id: String,
    /// Its user name: letters, digits, `_`, `-`, `.`; made up when absent.
    username: Option<String>,
    /// Its password; made up when absent.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// Public keys that open it too, in OpenSSH's form (`ssh-ed25519 AAAA…`).
    #[serde(default)]
    public_keys: Vec<String>,
    /// Whose reports go where; the merchant's own to the account's root when absent.
    folders: Option<Vec<NewFolder>>,
}

/// Where a merchant's reports go.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFolder {
    /// The merchant (MID).
    merchant_id: String,
    /// The target directory, such as `reports/se`; the account's root when absent.
    #[serde(default)]
    directory: String,
}

/// An account with its password, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedAccount {
    /// User name.
    username: String,
    /// Password.
    password: String,
    /// The merchant it is for (MID).
    merchant_id: String,
    /// Fingerprints of its public keys.
    fingerprints: Vec<String>,
    /// Whose reports go where.
    folders: Vec<FolderView>,
}

/// Where a merchant's reports go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FolderView {
    /// The merchant (MID).
    merchant_id: String,
    /// The target directory; empty for the account's root.
    directory: String,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountView {
    /// User name.
    username: String,
    /// The merchant it is for (MID).
    merchant_id: String,
    /// Fingerprints of its public keys.
    fingerprints: Vec<String>,
    /// Whose reports go where.
    folders: Vec<FolderView>,
}

/// All accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountsView {
    /// By user name.
    accounts: Vec<AccountView>,
}

/// A report to be sent once more.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDelivery {
    /// The merchant (MID).
    merchant_id: String,
    /// The payout.
    payment_reference: String,
}

/// A report that was sent once more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// The merchant (MID).
    merchant_id: String,
    /// The payout.
    payment_reference: String,
    /// How many times it was sent before.
    number: i64,
}

/// `GET /playground/v1/sftp/accounts`.
#[utoipa::path(
    get,
    path = "/playground/v1/sftp/accounts",
    responses((status = 200, description = "All accounts, without secrets", body = AccountsView))
)]
pub(super) async fn list(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    let accounts = app
        .db()
        .read(|tx| -> Result<Vec<Account>, StoreError> {
            let names = sftp::names(tx)?;
            let found = names.iter().map(|(username, _)| sftp::find(tx, username));
            Ok(found.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        })
        .await?;
    let accounts = accounts
        .into_iter()
        .map(|account| AccountView {
            fingerprints: fingerprints(&account),
            folders: folders(&account),
            username: account.username,
            merchant_id: account.merchant_id,
        })
        .collect();
    Answer::ok(&AccountsView { accounts })
}

/// `POST /playground/v1/sftp/accounts`.
#[utoipa::path(
    post,
    path = "/playground/v1/sftp/accounts",
    request_body = NewAccount,
    responses(
        (status = 201, description = "Added; the password is shown this once", body = CreatedAccount),
        (status = 400, description = "Not acceptable"),
        (status = 404, description = "There is no such merchant"),
        (status = 409, description = "The user name is taken, or the merchant has its five accounts"),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<NewAccount>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let random = service::random::secret();
    let (suffix, made_up) = random.split_at(12);
    let username = value.username.unwrap_or_else(|| format!("sftp_{}_{suffix}", value.merchant_id));
    let password = value.password.unwrap_or_else(|| Secret::new(made_up));
    if !is_username(&username) {
        return Err(ApiError::bad_value(&["username"]));
    }
    if !(8..=256).contains(&password.expose().len()) {
        return Err(
            ApiError::bad_value(&["password"]).message("a password has 8 to 256 characters")
        );
    }
    if value.public_keys.len() > MAX_KEYS {
        return Err(ApiError::bad_value(&["public_keys"]));
    }
    let public_keys = value
        .public_keys
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let key = PublicKey::from_openssh(text)
                .map_err(|_| ApiError::bad_value(&[format!("public_keys[{index}]")]))?;
            let text = key.to_openssh().map_err(ApiError::internal)?;
            Ok(sftp::PublicKey { fingerprint: key.fingerprint(HashAlg::Sha256).to_string(), text })
        })
        .collect::<Result<_, ApiError>>()?;
    let wanted = value.folders.unwrap_or_else(|| {
        vec![NewFolder { merchant_id: value.merchant_id.clone(), directory: String::new() }]
    });
    if wanted.is_empty() || wanted.len() > MAX_FOLDERS {
        return Err(ApiError::bad_value(&["folders"]));
    }
    let directory = app.directory();
    let mut folders_wanted = Vec::with_capacity(wanted.len());
    for (index, folder) in wanted.into_iter().enumerate() {
        if !is_directory(&folder.directory) {
            return Err(ApiError::bad_value(&[format!("folders[{index}].directory")]));
        }
        if directory.merchant(&folder.merchant_id).is_none() {
            return Err(no_merchant(&folder.merchant_id));
        }
        folders_wanted.push(sftp::Folder {
            merchant_id: MerchantId::new(folder.merchant_id),
            directory: folder.directory,
            since_ms: now_ms,
        });
    }
    if directory.merchant(&value.merchant_id).is_none() {
        return Err(no_merchant(&value.merchant_id));
    }
    let account = Account {
        username,
        merchant_id: value.merchant_id,
        secret_hash: app.hash_secret(password.expose()),
        public_keys,
        folders: folders_wanted,
    };
    let kept = account.clone();
    let refused = app
        .db()
        .write(move |tx| -> Result<Option<String>, StoreError> {
            let names = sftp::names(tx)?;
            if names.iter().any(|(username, _)| *username == kept.username) {
                return Ok(Some(format!("the user name {} is taken", kept.username)));
            }
            let own = names.iter().filter(|(_, merchant_id)| *merchant_id == kept.merchant_id);
            if own.count() >= MAX_ACCOUNTS {
                return Ok(Some(format!("a merchant has at most {MAX_ACCOUNTS} accounts")));
            }
            sftp::put(tx, &kept, now_ms)?;
            Ok(None)
        })
        .await?;
    if let Some(reason) = refused {
        return Err(ApiError::new(StatusCode::CONFLICT, "CONFLICT").message(reason));
    }
    Answer::json(
        StatusCode::CREATED,
        &CreatedAccount {
            fingerprints: fingerprints(&account),
            folders: folders(&account),
            username: account.username,
            password: password.expose().to_owned(),
            merchant_id: account.merchant_id,
        },
    )
}

/// `DELETE /playground/v1/sftp/accounts/{username}`.
#[utoipa::path(
    delete,
    path = "/playground/v1/sftp/accounts/{username}",
    params(("username" = String, Path, description = "User name")),
    responses(
        (status = 204, description = "Gone; who is signed in stays so"),
        (status = 404, description = "There is no such account"),
    )
)]
pub(super) async fn remove(
    State(app): State<App>,
    _: Operator,
    Path(username): Path<String>,
) -> Result<Answer, ApiError> {
    let removed =
        app.db().write(move |tx| Ok::<_, StoreError>(sftp::remove(tx, &username)?)).await?;
    if removed {
        Ok(Answer::no_content())
    } else {
        Err(ApiError::not_found("there is no such account"))
    }
}

/// `POST /playground/v1/sftp/deliveries`.
#[utoipa::path(
    post,
    path = "/playground/v1/sftp/deliveries",
    request_body = NewDelivery,
    responses(
        (status = 201, description = "Sent once more", body = Delivery),
        (status = 404, description = "The merchant has no such payout"),
    )
)]
pub(super) async fn send(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<NewDelivery>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let NewDelivery { merchant_id, payment_reference } = value;
    let (merchant, reference) = (MerchantId::new(merchant_id.as_str()), payment_reference.clone());
    let number = app
        .db()
        .write(move |tx| -> Result<Option<i64>, StoreError> {
            let payout = PaymentReference::new(reference.as_str());
            if settlements::payout(tx, &merchant, &payout)?.is_none() {
                return Ok(None);
            }
            Ok(Some(sftp::send_again(tx, merchant.as_str(), &reference, now_ms)?))
        })
        .await?;
    let number = number.ok_or_else(|| ApiError::not_found("the merchant has no such payout"))?;
    Answer::json(StatusCode::CREATED, &Delivery { merchant_id, payment_reference, number })
}

fn no_merchant(merchant_id: &str) -> ApiError {
    ApiError::not_found(format!("there is no merchant {merchant_id}"))
}

fn fingerprints(account: &Account) -> Vec<String> {
    account.public_keys.iter().map(|key| key.fingerprint.clone()).collect()
}

fn folders(account: &Account) -> Vec<FolderView> {
    let view = |folder: &sftp::Folder| FolderView {
        merchant_id: folder.merchant_id.to_string(),
        directory: folder.directory.clone(),
    };
    account.folders.iter().map(view).collect()
}

fn is_username(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
