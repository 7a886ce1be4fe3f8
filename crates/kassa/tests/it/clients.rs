//! The clients that stand in `clients/`, driven against a running gateway: see `clients/README.md`.
//!
//! `cargo xtask test` installs what they need and names the folder by `KASSA_TEST_FOREIGN`; without it
//! nothing of this runs, and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testing::kassa::Process;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");
const VARIABLE: &str = "KASSA_TEST_FOREIGN";

/// Everything together, for one program.
struct World {
    installed: PathBuf,
    folder: TempDir,
    ready: Value,
    process: Process,
}

#[expect(clippy::print_stderr, reason = "what is not run says so")]
fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn installed() -> Option<PathBuf> {
    let installed = std::env::var_os(VARIABLE).map(PathBuf::from);
    if installed.is_none() {
        skip(&format!("{VARIABLE} is not set (`cargo xtask test` sets it)"));
    }
    installed
}

impl World {
    fn start() -> Option<Self> {
        let installed = installed()?;
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
        Some(Self { installed, folder, ready, process })
    }

    fn text(&self, pointer: &str) -> &str {
        let found = self.ready.pointer(pointer).unwrap().as_str().unwrap();
        found.trim_end_matches('/')
    }

    fn run(mut self, program: &str, script: &str) -> Value {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).arg(here().join(script));
        command.env("CLIENTS", Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients"));
        command.env("INSTALLED", &self.installed).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("GATEWAY", self.text("/urls/gateway"));
        command.env("PLAYGROUND", self.text("/urls/playground"));
        command.env("API_KEY", self.text("/credentials/gateway_api_key"));
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}\n{said}\n{complained}", output.status);
        assert_eq!(self.process.terminate().code(), Some(0));
        serde_json::from_str(said.lines().last().expect("a result")).unwrap()
    }
}

#[test]
fn the_client_for_javascript() {
    let Some(world) = World::start() else { return };
    let done = world.run("node", "node.mjs");
    assert!(done["told"].as_i64().unwrap() >= 4, "{done}");
}

#[test]
fn the_client_for_python() {
    let Some(world) = World::start() else { return };
    let done = world.run("python3", "drive.py");
    assert!(done["told"].as_i64().unwrap() >= 4, "{done}");
}

#[test]
fn the_types_of_the_client_for_typescript() {
    let Some(installed) = installed() else { return };
    let compiler = installed.join("node/node_modules/typescript/bin/tsc");
    let output = Command::new("node")
        .arg(compiler)
        .args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"])
        .args(["--moduleResolution", "nodenext", "--lib", "es2022,dom"])
        .arg(here().join("types.ts"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
