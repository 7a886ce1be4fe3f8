//! A deterministic simulation of the engine: nodes on one database, Klarna, and a network between them,
//! with one scheduler that takes every choice from a seed. Whatever goes wrong on the way: once nothing
//! is in flight, Klarna's books and the gateway's say the same, and every intent took effect exactly
//! once or was reported as not done.
//!
//! It is a part of the crate's own tests, because the bugs that it must find ([`super::planted`]) must
//! not exist anywhere else. `cargo xtask sim` runs as many histories as one likes; this module's tests run a few
//! thousand. A history that fails says its seed: `KASSA_SIM_SEED=N cargo test -p gateway --lib simulation` lives
//! through it again and tells what happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a simulation that fails here says so best, with its seed"
)]

mod books;
mod chance;
mod klarna;
mod net;
mod world;

use std::time::{Duration, Instant};

use super::planted::Bug;
use world::{History, Seen, Stage};

/// Why a history is not as it should be.
#[derive(Debug)]
struct Wrong {
    seed: u64,
    what: String,
    told: Vec<String>,
}

fn live(stage: &Stage, seed: u64, bug: Option<Bug>, told: bool) -> Result<Seen, Wrong> {
    let mut history = History::begin(stage, seed, bug, told);
    history.storm();
    history.conclude().map_err(|(what, told)| Wrong { seed, what, told })
}

/// Lives through histories, on as many threads as there are processors, until one is wrong.
fn live_through(
    first: u64,
    histories: u64,
    bug: Option<Bug>,
    time: Duration,
) -> Result<Seen, Wrong> {
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    let deadline = Instant::now() + time;
    let threads: Vec<_> = (0..lanes as u64)
        .map(|lane| {
            std::thread::spawn(move || {
                let stage = Stage::new();
                let mut all = Seen::default();
                let mut seed = first + lane;
                while seed < first + histories && Instant::now() < deadline {
                    all += live(&stage, seed, bug, false)?;
                    seed += lanes as u64;
                }
                Ok::<Seen, Wrong>(all)
            })
        })
        .collect();
    let mut all = Seen::default();
    let mut wrong: Option<Wrong> = None;
    for thread in threads {
        match thread.join().unwrap() {
            Ok(seen) => all += seen,
            Err(one) if wrong.as_ref().is_none_or(|known| one.seed < known.seed) => {
                wrong = Some(one);
            }
            Err(_) => {}
        }
    }
    wrong.map_or(Ok(all), Err)
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Once more, telling what happens.
fn again(seed: u64, bug: Option<Bug>) -> String {
    match live(&Stage::new(), seed, bug, true) {
        Ok(seen) => format!("all is well: {seen:?}"),
        Err(wrong) => format!("{}\n\n{}", wrong.told.join("\n"), wrong.what),
    }
}

/// How many histories the tests live through.
const HISTORIES: u64 = 2_000;
/// How long they may take. Slow machines live through fewer.
const TIME: Duration = Duration::from_secs(20);

#[test]
fn whatever_happens_the_books_agree_and_every_intent_takes_effect_once() {
    if let Some(seed) =
        setting("KASSA_SIM_SEED").filter(|_| setting("KASSA_SIM_HISTORIES").is_none())
    {
        println!("{}", again(seed, None));
        return;
    }
    let histories = setting("KASSA_SIM_HISTORIES").unwrap_or(HISTORIES);
    let time = setting("KASSA_SIM_HISTORIES").map_or(TIME, |_| Duration::MAX / 4);
    let first = setting("KASSA_SIM_SEED").unwrap_or(1);
    let began = Instant::now();
    match live_through(first, histories, None, time) {
        Ok(seen) => {
            println!("{seen:?}\n{:?}", began.elapsed());
            // Histories in which nothing happens prove nothing.
            assert!(seen.histories > 20, "{seen:?}");
            assert!(
                seen.payments * 3 > seen.histories && seen.effects * 2 > seen.histories,
                "{seen:?}"
            );
            assert!(seen.refused > 0 && seen.lost > 0, "{seen:?}");
            assert!(seen.crashes > seen.histories && seen.pauses > seen.histories, "{seen:?}");
        }
        Err(wrong) => panic!(
            "{}\n\nthis was KASSA_SIM_SEED={}; {}",
            wrong.what,
            wrong.seed,
            again(wrong.seed, None)
        ),
    }
}

#[test]
fn a_history_comes_again_with_its_seed() {
    for seed in [3, 14, 15] {
        let one = live(&Stage::new(), seed, None, false).unwrap();
        let stage = Stage::new();
        live(&stage, seed + 1, None, false).unwrap();
        assert_eq!(one, live(&stage, seed, None, false).unwrap());
    }
}

/// In so many histories each planted bug is found; with the machine to itself, that is within a minute.
const ENOUGH: u64 = 20_000;

/// The test of the test.
#[test]
fn a_planted_bug_is_found() {
    let mut unseen = Vec::new();
    for bug in Bug::ALL {
        let began = Instant::now();
        match live_through(1, ENOUGH, Some(bug), Duration::MAX / 4) {
            Err(wrong) => {
                let (seed, what) = (wrong.seed, wrong.what);
                println!("{bug:?}: history {seed} after {:?}: {what:.160}", began.elapsed());
                // It is the bug and nothing else that is wrong with that history.
                live(&Stage::new(), seed, None, false).unwrap();
            }
            Ok(seen) => unseen.push((bug, seen)),
        }
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}
