//! The targets under libFuzzer: one program for all of them, so that it is built once. Which of them is
//! tried says the environment, as the command line belongs to libFuzzer.

#![no_main]

use std::sync::OnceLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

/// Names the target.
const VARIABLE: &str = "KASSA_FUZZ_TARGET";

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var(VARIABLE).unwrap_or_default();
        match fuzz::target(&name) {
            Some(target) => drop(TARGET.set(target)),
            None => std::process::abort(),
        }
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
