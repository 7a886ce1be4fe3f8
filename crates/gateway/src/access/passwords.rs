//! Passwords of people: argon2id, off the threads that serve requests, a few at a time.
//!
//! The parameters are the first of OWASP's recommendations for argon2id: 19 MiB, two passes, one
//! lane. They stand in each hash (the PHC form), so that they can be raised without locking anybody
//! out.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use klarna_types::Secret;
use tokio::sync::Semaphore;

/// In KiB.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// So many are computed at once: each takes its memory and a core for some hundredths of a second.
const AT_ONCE: usize = 2;

/// The hash of a password that nobody has: what is checked for names that nobody has, so that a
/// guess takes as long for them.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1ub2JvZHk\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// The computation failed, for want of memory for one.
    #[error("a password could not be hashed")]
    Failed,
}

/// Makes and checks hashes.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE) }
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl Passwords {
    /// The hash of a password, in PHC form, with a salt of its own.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, HashError> {
        let password = password.clone();
        self.compute(move || {
            let salt = service::random::bytes::<16>();
            let hash = argon2()?
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .map_err(|_| HashError::Failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password is the one of a hash. Without a hash it is not, and that takes as long.
    pub(crate) async fn is_right(
        &self,
        password: &Secret,
        hash: Option<&str>,
    ) -> Result<bool, HashError> {
        let password = password.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        self.compute(move || {
            let hash = PasswordHash::new(&hash).map_err(|_| HashError::Failed)?;
            let right = argon2()?.verify_password(password.expose().as_bytes(), &hash).is_ok();
            Ok(right && known)
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let _turn = self.turns.acquire().await.map_err(|_| HashError::Failed)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| HashError::Failed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let passwords = Passwords::default();
        let right = Secret::new("correct horse battery");
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&right).await.unwrap(), "each has a salt of its own");
        assert!(passwords.is_right(&right, Some(&hash)).await.unwrap());
        let wrong = Secret::new("correct horse batterz");
        assert!(!passwords.is_right(&wrong, Some(&hash)).await.unwrap());
        assert!(!passwords.is_right(&right, None).await.unwrap());
    }
}
