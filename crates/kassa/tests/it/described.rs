//! The gateway's API and the playground's own as schemathesis finds them by their descriptions:
//! whatever a description allows is taken, whatever it does not is refused in the form it promises,
//! and nothing makes a server fail.
//!
//! `cargo xtask test` installs it and names the folder by `KASSA_TEST_FOREIGN`; without it nothing of this
//! runs, and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testing::kassa::Process;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");
const VARIABLE: &str = "KASSA_TEST_FOREIGN";

/// What is tried, and as whom.
struct Tried {
    description: String,
    authorization: Option<String>,
    /// Operations that have no end, or end the world: by their paths.
    left_out: &'static str,
    /// Checks that cannot hold, and why: see where it is made.
    without: &'static str,
}

fn try_everything(which: impl FnOnce(&Value) -> Tried) {
    let Some(installed) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        #[expect(clippy::print_stderr, reason = "what is not run says so")]
        {
            eprintln!("SKIPPED: {VARIABLE} is not set (`cargo xtask test` sets it)");
        }
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let anywhere = "127.0.0.1:0";
    let flags = [
        "up",
        "--json",
        "--ephemeral",
        "--sftp-listen",
        "off",
        "--playground-listen",
        anywhere,
        "--gateway-listen",
        anywhere,
        "--shop-listen",
        anywhere,
    ];
    let mut process = Process::start(Path::new(KASSA), folder.path(), &flags);
    let ready = process.event();
    let tried = which(&ready);
    let mut command = Command::new(installed.join("schemathesis/bin/schemathesis"));
    command.current_dir(folder.path()).arg("run").arg(&tried.description);
    if let Some(authorization) = &tried.authorization {
        command.arg("--header").arg(format!("Authorization: {authorization}"));
    }
    command.args(["--exclude-path-regex", tried.left_out, "--exclude-checks", tried.without]);
    // The same requests each time, and not so many that the other tests wait.
    command.args(["--seed", "1", "--max-examples", "15", "--phases", "examples,coverage,fuzzing"]);
    command.args(["--request-timeout", "40", "--suppress-health-check", "all"]);
    command.args(["--warnings", "off", "--workers", "2"]);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_COLOR", "1").env("COLUMNS", "120");
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(process.terminate().code(), Some(0));
}

fn text(ready: &Value, pointer: &str) -> String {
    ready.pointer(pointer).unwrap().as_str().unwrap().trim_end_matches('/').to_owned()
}

#[test]
fn the_gateway_is_as_it_is_described() {
    try_everything(|ready| Tried {
        description: format!("{}/v1/openapi.json", text(ready, "/urls/gateway")),
        authorization: Some(format!("Bearer {}", text(ready, "/credentials/gateway_api_key"))),
        // Streams do not end.
        left_out: "/stream$",
        // What a description allows can still be impossible: an id that is not there, a state that
        // forbids it, a cart that Klarna would refuse.
        without: "positive_data_acceptance",
    });
}

#[test]
fn the_playgrounds_control_api_is_as_it_is_described() {
    try_everything(|ready| Tried {
        description: format!("{}/playground/v1/openapi.json", text(ready, "/urls/playground")),
        // On loopback it asks nobody who he is.
        authorization: None,
        // What has been made would be gone; and centuries of timers take their time.
        left_out: "/(reset|clock)$",
        without: "positive_data_acceptance,ignored_auth",
    });
}
