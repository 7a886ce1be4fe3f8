//! Fresh, unguessable values.
//!
//! Everything here comes from the operating system's generator. Domain code never calls it: a
//! shell draws the value and passes it in.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::TryRng as _;
use rand::rngs::SysRng;
use uuid::Uuid;

/// A random (version 4) UUID: the form of Klarna's ids.
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}

/// How many ids in a row share their beginning.
const IDS_PER_BLOCK: u64 = 256;
/// So many bytes of an id are its block's.
const BLOCK_BYTES: usize = 3;

/// A random (version 4) UUID for the key of a new row.
///
/// Its first 24 bits are shared with the ids that this process makes just before and after it, and say nothing by
/// themselves; 98 bits are its own. Rows that are written together so lie together in the index: a group of them
/// dirties a page or two instead of one each, while over time keys still spread over the whole key space, as a
/// database that is split by ranges wants it.
pub fn key() -> Uuid {
    static MADE: AtomicU64 = AtomicU64::new(0);
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let block = SEED.hash_one(MADE.fetch_add(1, Ordering::Relaxed) / IDS_PER_BLOCK);
    let mut id = bytes::<16>();
    id[..BLOCK_BYTES].copy_from_slice(&block.to_be_bytes()[..BLOCK_BYTES]);
    uuid::Builder::from_random_bytes(id).into_uuid()
}

/// `N` random bytes.
///
/// # Panics
///
/// When the operating system has no random numbers to give; nothing safe can be done then.
#[expect(clippy::expect_used, reason = "without entropy no secret may be made")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// An unguessable secret of 256 bits in lower-case hexadecimal (64 characters), safe in URLs,
/// headers and file names.
pub fn secret() -> String {
    let mut text = String::with_capacity(64);
    for byte in bytes::<32>() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_do_not_repeat() {
        assert_ne!(uuid(), uuid());
        assert_ne!(secret(), secret());
        assert_eq!(secret().len(), 64);
        assert_eq!(uuid().get_version_num(), 4);
    }

    #[test]
    fn keys_made_together_lie_together_and_do_not_repeat() {
        let keys: Vec<Uuid> = (0..4 * IDS_PER_BLOCK).map(|_| key()).collect();
        let beginnings: HashSet<_> =
            keys.iter().map(|key| &key.as_bytes()[..BLOCK_BYTES]).collect();
        // Other tests make keys as well, so blocks may be cut short, but never by this much.
        assert!((4..64).contains(&beginnings.len()), "{} blocks", beginnings.len());
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert!(keys.iter().all(|key| key.get_version_num() == 4));
    }
}
