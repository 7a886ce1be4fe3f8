//! The server's own keys: made on first use, kept in the database like every other secret of the
//! playground, so that a client that has seen them once recognises the server.

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, EcdsaCurve, PrivateKey};

use super::SftpError;
use crate::app::App;
use crate::store::merchants;

/// Today's kind of key first, then one that older programs know.
const KINDS: [(&str, Algorithm); 2] = [
    ("sftp_host_key_ed25519", Algorithm::Ed25519),
    ("sftp_host_key_ecdsa", Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }),
];

/// The keys, the one to show first.
pub(super) async fn load_or_create(app: &App) -> Result<Vec<PrivateKey>, SftpError> {
    let mut keys = Vec::with_capacity(KINDS.len());
    for (name, algorithm) in KINDS {
        // What is wrong with a key's text is not repeated: it is the key's text.
        let unusable = |_| SftpError::HostKey(format!("{name} is no key"));
        let fresh = PrivateKey::random(&mut safe_rng(), algorithm)
            .and_then(|key| key.to_openssh(LineEnding::LF))
            .map_err(unusable)?;
        let kept = app.db().write(move |tx| merchants::setting_or(tx, name, &fresh)).await?;
        keys.push(PrivateKey::from_openssh(kept).map_err(unusable)?);
    }
    Ok(keys)
}
