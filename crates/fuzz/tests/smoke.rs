//! Every target for a moment: its seeds, and a fixed number of inputs made of them. The same ones each
//! time; what looks further is `cargo xtask fuzz`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::{Mutator, TARGETS, Target};

/// How many inputs are made for a target.
const RUNS: usize = 1_500;

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no seeds", target.name);
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn smoke(name: &str) {
    let target = fuzz::target(name).unwrap();
    let seeds = seeds(target);
    let mut mutator = Mutator::new(1);
    let made = (0..RUNS).map(|_| mutator.mutate(&seeds)).collect::<Vec<_>>();
    for input in seeds.iter().chain(&made) {
        let held = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok();
        assert!(held, "{name} fails for {:?}", String::from_utf8_lossy(input));
    }
}

macro_rules! smoke {
    ($($test:ident = $name:literal),* $(,)?) => {
        $( #[test] fn $test() { smoke($name); } )*

        #[test]
        fn every_target_is_tried() {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

smoke! {
    payments = "payments",
    orders = "orders",
    tokens = "tokens",
    hosted = "hosted",
    in_store = "in-store",
    disputes = "disputes",
    disputes_v2 = "disputes-v2",
    settlements = "settlements",
    errors = "errors",
    carts = "carts",
    lines = "lines",
    report_rows = "report-rows",
    report_text = "report-text",
    report_pdf = "report-pdf",
    answers = "answers",
    uploads = "uploads",
    client_tokens = "client-tokens",
    sftp_paths = "sftp-paths",
    clock = "clock",
    placeholders = "placeholders",
    forms = "forms",
    queries = "queries",
    fault_paths = "fault-paths",
}
