//! The second factor: time-based one-time passwords (RFC 6238) as every authenticator app makes
//! them: HMAC-SHA-1, six digits, steps of thirty seconds. And recovery codes, for a phone that is
//! lost.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use super::idempotency;

/// As long as the hash: what RFC 4226 recommends.
pub const SEED_BYTES: usize = 20;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Random bytes of one.
pub const RECOVERY_BYTES: usize = 10;

const STEP_MS: i64 = 30 * 1000;
const DIGITS: usize = 6;
/// So many steps early or late are taken: phones' clocks are not exact, and people type slowly.
const TOLERANCE: i64 = 1;

const BASE32: [char; 32] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S',
    'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
];

/// Bytes in base 32 (RFC 4648) without padding: what authenticator apps read.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0_u8; 8];
        for (place, byte) in group.iter_mut().skip(3).zip(chunk) {
            *place = *byte;
        }
        let bits = u64::from_be_bytes(group);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = (bits >> (35 - 5 * place)) & 31;
            text.extend(usize::try_from(index).ok().and_then(|index| BASE32.get(index)));
        }
    }
    text
}

/// The bytes of a text in base 32. Spaces, hyphens and lower case are forgiven.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for character in text.chars().filter(|each| !matches!(each, ' ' | '-' | '=')) {
        let upper = character.to_ascii_uppercase();
        let value = BASE32.iter().position(|each| *each == upper)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// What an authenticator app reads from the picture. The label is the user's name and nothing else.
pub fn url(name: &str, seed: &[u8]) -> String {
    let label: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!(
        "otpauth://totp/Kassa:{label}?secret={}&issuer=Kassa&algorithm=SHA1&digits=6&period=30",
        base32(seed)
    )
}

/// The step that an instant lies in.
pub fn step(now_ms: i64) -> i64 {
    now_ms.div_euclid(STEP_MS)
}

/// The code of a step (RFC 4226, section 5.3).
pub fn code(seed: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(seed) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last().copied().unwrap_or_default() & 15);
    let mut four = [0_u8; 4];
    for (place, byte) in four.iter_mut().zip(hash.iter().skip(offset)) {
        *place = *byte;
    }
    let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000;
    format!("{number:0DIGITS$}")
}

/// The step that a typed code is right for: near now, and after the last one that was used, so that
/// nobody who looked over a shoulder can use it again.
pub fn check(seed: &[u8], typed: &str, last_step: i64, now_ms: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|each| !each.is_whitespace()).collect();
    if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let now = step(now_ms);
    let mut found = None;
    // All are compared, whichever is right.
    for step in now - TOLERANCE..=now + TOLERANCE {
        let right = bool::from(code(seed, step).as_bytes().ct_eq(typed.as_bytes()));
        if right && step > last_step {
            found = found.or(Some(step));
        }
    }
    found
}

/// A recovery code as a person writes it down: `abcd-efgh-ijkl-mnop`.
pub fn recovery_code(random: [u8; RECOVERY_BYTES]) -> String {
    let text = base32(&random).to_lowercase();
    let mut code = String::new();
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            code.push('-');
        }
        code.push(character);
    }
    code
}

/// What is kept of a recovery code: 80 random bits need no slow hash. However it is typed.
pub fn recovery_digest(user_id: &str, typed: &str) -> String {
    let plain: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|each| each.to_ascii_lowercase())
        .collect();
    idempotency::fingerprint("recovery code", user_id, plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The seed of RFC 6238, appendix B.
    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_the_rfc_come_out() {
        // The RFC has eight digits; six are their end.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SEED, step(seconds * 1000)), expected, "{seconds}");
        }
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (plain, coded) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(plain.as_bytes()), coded);
            assert_eq!(from_base32(coded).unwrap(), plain.as_bytes());
        }
        assert_eq!(from_base32("mzxw 6ytb-oi").unwrap(), b"foobar");
        assert_eq!(from_base32("1"), None);
        assert!(url("eva@x", SEED).starts_with("otpauth://totp/Kassa:eva%40x?secret=GEZDGNBV"));
    }

    proptest! {
        #[test]
        fn base32_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(from_base32(&base32(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn a_code_is_good_near_its_time_and_once(
            now_ms in 0_i64..4_000_000_000_000, off in -3_i64..=3,
        ) {
            let made_at = step(now_ms) + off;
            let typed = code(SEED, made_at);
            let found = check(SEED, &typed, -10, now_ms);
            if off.abs() <= TOLERANCE {
                let found = found.unwrap();
                // Two steps may have the same code by chance; either will do.
                prop_assert!((found - step(now_ms)).abs() <= TOLERANCE);
                prop_assert_eq!(check(SEED, &typed, step(now_ms) + TOLERANCE, now_ms), None);
            }
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        let right = code(SEED, 100);
        for bad in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(check(SEED, bad, 0, 100 * STEP_MS), None, "{bad}");
        }
        let spaced = format!(" {} {} ", &right[..3], &right[3..]);
        assert_eq!(check(SEED, &spaced, 0, 100 * STEP_MS), Some(100));
        assert_eq!(check(SEED, &right, 100, 100 * STEP_MS), None, "used already");
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let code = recovery_code([7; RECOVERY_BYTES]);
        assert_eq!(code.len(), 19, "{code}");
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(recovery_digest("usr_1", &code), recovery_digest("usr_1", &typed));
        assert_ne!(recovery_digest("usr_1", &code), recovery_digest("usr_2", &code));
    }
}
