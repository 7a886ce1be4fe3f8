//! Fresh, unguessable values.
//!
//! Everything here comes from the operating system's generator. Domain code never calls it: a
//! shell draws the value and passes it in.

use std::fmt::Write as _;

use rand::TryRng as _;
use rand::rngs::SysRng;
use uuid::Uuid;

/// A random (version 4) UUID: the form of Klarna's ids.
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
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
    use super::*;

    #[test]
    fn values_do_not_repeat() {
        assert_ne!(uuid(), uuid());
        assert_ne!(secret(), secret());
        assert_eq!(secret().len(), 64);
        assert_eq!(uuid().get_version_num(), 4);
    }
}
