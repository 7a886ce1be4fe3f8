//! RSA keys: how they are found, and the form in which they are kept.
//!
//! Only the search for primes is here. Signing is done by a library whose timing tells nothing of the key; what is
//! written here runs once for each key, and nobody can watch it. Random bytes are handed in.

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};

/// The public exponent of every key.
const EXPONENT: u32 = 65_537;

/// Primes below this are tried by division before anything expensive is done.
const SMALL_PRIMES_BELOW: u32 = 1 << 13;

/// How many odd numbers above a random one are looked at before another random one is drawn.
const WINDOW: usize = 2_048;

/// How often Miller and Rabin are asked. Of random numbers this long, one that is not prime passes five rounds less
/// than once in 2^100.
const ROUNDS: usize = 8;

/// Where random bytes come from.
pub(crate) type Chance<'a> = &'a mut dyn FnMut(&mut [u8]);

/// A private key with everything that signing wants, big-endian. It does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RsaKey {
    /// The modulus.
    pub(crate) n: Vec<u8>,
    /// The public exponent.
    pub(crate) e: Vec<u8>,
    /// The private exponent.
    pub(crate) d: Vec<u8>,
    /// The greater prime.
    pub(crate) p: Vec<u8>,
    /// The lesser prime.
    pub(crate) q: Vec<u8>,
    /// The private exponent modulo p - 1.
    pub(crate) dp: Vec<u8>,
    /// The private exponent modulo q - 1.
    pub(crate) dq: Vec<u8>,
    /// The inverse of q modulo p.
    pub(crate) q_inverse: Vec<u8>,
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKey").field("bits", &(self.n.len() * 8)).finish_non_exhaustive()
    }
}

/// A fresh key with a modulus of `bits` bits, a multiple of 16.
pub(crate) fn generate(bits: usize, chance: Chance<'_>) -> RsaKey {
    let small = small_primes();
    loop {
        let one = prime(bits / 2, &small, chance);
        let other = prime(bits / 2, &small, chance);
        if let Some(key) = key_of(&one, &other) {
            return key;
        }
    }
}

/// The key of two primes; none if they do not fit each other.
fn key_of(one: &BigUint, other: &BigUint) -> Option<RsaKey> {
    let (p, q) = if one > other { (one, other) } else { (other, one) };
    if p == q {
        return None;
    }
    let e = BigUint::from(EXPONENT);
    let unit = BigUint::from(1_u32);
    let (p_less, q_less) = (p - &unit, q - &unit);
    let d = e.modinv(&(&p_less * &q_less))?;
    Some(RsaKey {
        n: (p * q).to_bytes_be(),
        e: e.to_bytes_be(),
        dp: (&d % &p_less).to_bytes_be(),
        dq: (&d % &q_less).to_bytes_be(),
        q_inverse: q.modinv(p)?.to_bytes_be(),
        d: d.to_bytes_be(),
        p: p.to_bytes_be(),
        q: q.to_bytes_be(),
    })
}

/// A random prime of `bits` bits whose two highest bits are set, so that two of them multiply to twice as many; one
/// that the public exponent can be inverted for.
fn prime(bits: usize, small: &[u32], chance: Chance<'_>) -> BigUint {
    let unit = BigUint::from(1_u32);
    loop {
        let mut bytes = vec![0_u8; bits / 8];
        chance(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first |= 0b1100_0000;
        }
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
        let base = BigUint::from_bytes_be(&bytes);
        for step in undivided(&base, small) {
            let candidate = &base + BigUint::from(2 * step);
            let fits = (&candidate - &unit) % EXPONENT != BigUint::ZERO;
            if fits && candidate.bits() == bits as u64 && is_prime(&candidate, chance) {
                return candidate;
            }
        }
    }
}

/// The steps for which `base + 2 * step` has no small divisor.
fn undivided(base: &BigUint, small: &[u32]) -> Vec<usize> {
    let mut divided = vec![false; WINDOW];
    for &prime in small {
        let rest = (base % prime).iter_u32_digits().next().unwrap_or(0);
        // base + 2 * step is a multiple of the prime for the first time at this step; half of a number that is odd
        // is had by adding the prime, which is odd too.
        let missing = (prime - rest) % prime;
        let first =
            if missing.is_multiple_of(2) { missing / 2 } else { u32::midpoint(missing, prime) };
        for step in (usize_of(first)..WINDOW).step_by(usize_of(prime)) {
            if let Some(it) = divided.get_mut(step) {
                *it = true;
            }
        }
    }
    (0..WINDOW).filter(|&step| divided.get(step) == Some(&false)).collect()
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Odd primes, by Eratosthenes.
fn small_primes() -> Vec<u32> {
    let below = usize_of(SMALL_PRIMES_BELOW);
    let mut divided = vec![false; below];
    let mut primes = Vec::new();
    for number in 3..SMALL_PRIMES_BELOW {
        let at = usize_of(number);
        if number.is_multiple_of(2) || divided.get(at) != Some(&false) {
            continue;
        }
        primes.push(number);
        for multiple in (at * at..below).step_by(at) {
            if let Some(it) = divided.get_mut(multiple) {
                *it = true;
            }
        }
    }
    primes
}

/// Miller's and Rabin's test of an odd number above three, with bases of chance.
fn is_prime(number: &BigUint, chance: Chance<'_>) -> bool {
    let unit = BigUint::from(1_u32);
    let two = BigUint::from(2_u32);
    let less = number - &unit;
    let Some(twos) = less.trailing_zeros() else { return false };
    let odd = &less >> twos;
    let mut bytes = number.to_bytes_be();
    (0..ROUNDS).all(|_| {
        chance(&mut bytes);
        // Between 2 and number - 2.
        let base = BigUint::from_bytes_be(&bytes) % (&less - &two) + &two;
        let mut power = base.modpow(&odd, number);
        if power == unit || power == less {
            return true;
        }
        for _ in 1..twos {
            power = power.modpow(&two, number);
            if power == less {
                return true;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::rsa::{KeyPairComponents, PublicKeyComponents};

    use super::*;

    fn chance(bytes: &mut [u8]) {
        for byte in bytes {
            *byte = service::random::bytes::<1>()[0];
        }
    }

    #[test]
    fn a_key_is_one_that_others_accept() {
        let key = generate(2_048, &mut chance);
        assert_eq!(key.n.len(), 256);
        let pair = ring::rsa::KeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: &key.n, e: &key.e },
            d: &key.d,
            p: &key.p,
            q: &key.q,
            dP: &key.dp,
            dQ: &key.dq,
            qInv: &key.q_inverse,
        });
        assert!(pair.is_ok(), "{pair:?}");
        assert_eq!(format!("{key:?}"), "RsaKey { bits: 2048, .. }");
    }

    #[test]
    fn primes_are_told_from_what_only_looks_like_them() {
        // Two Mersenne primes, and the numbers of Carmichael, which pass Fermat's test for almost every base.
        for (number, expected) in [
            ((1_u128 << 61) - 1, true),
            ((1_u128 << 127) - 1, true),
            (561, false),
            (41_041, false),
            (825_265, false),
            (321_197_185, false),
            (((1_u128 << 61) - 1) * 1_000_003, false),
        ] {
            assert_eq!(is_prime(&BigUint::from(number), &mut chance), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn small_numbers_are_judged_as_division_judges_them(half in 2_u32..20_000) {
            let number = 2 * half + 1;
            let divisible = (3..number).step_by(2).take_while(|by| by * by <= number).any(|by| number.is_multiple_of(by));
            prop_assert_eq!(is_prime(&BigUint::from(number), &mut chance), !divisible);
        }

        #[test]
        fn the_sieve_leaves_exactly_what_no_small_prime_divides(base in 100_000_u32..4_000_000) {
            let base = base | 1;
            let small = [3_u32, 5, 7, 11, 13, 8_191];
            let left = undivided(&BigUint::from(base), &small);
            for step in 0..WINDOW {
                let number = base + 2 * u32::try_from(step).unwrap();
                let divided = small.iter().any(|prime| number.is_multiple_of(*prime));
                prop_assert_eq!(left.contains(&step), !divided, "{}", number);
            }
        }
    }
}
