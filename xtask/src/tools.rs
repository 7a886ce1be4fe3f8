//! The programs that tests and fuzzing need from the operating system, and their installation.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Outcome};

/// A program the tests use, and the Debian packages that bring it.
pub(crate) struct Tool {
    what: &'static str,
    find: fn() -> Option<PathBuf>,
    packages: &'static [&'static str],
}

/// What the tests need.
pub(crate) const TESTING: &[Tool] = &[
    // The fonts, so that screenshots show text on a machine that has never shown any.
    Tool { what: "chromium", find: chromium, packages: &["chromium", "fonts-dejavu-core"] },
    Tool { what: "chromedriver", find: chromedriver, packages: &["chromium-driver"] },
    Tool { what: "PostgreSQL", find: initdb, packages: &["postgresql"] },
    // For the clients that others wrote.
    Tool { what: "node", find: || on_path("node"), packages: &["nodejs"] },
    Tool { what: "npm", find: || on_path("npm"), packages: &["npm"] },
    Tool { what: "python3 with venv", find: python, packages: &["python3", "python3-venv"] },
];

/// What fuzzing needs: its engine is written in C++.
pub(crate) const FUZZING: &[Tool] =
    &[Tool { what: "a C++ compiler", find: || on_path("c++"), packages: &["g++"] }];

/// Finds each of the tools, installing what is missing unless told not to.
pub(crate) fn ensure(wanted: &[Tool], may_install: bool) -> Outcome<()> {
    let missing: Vec<&Tool> = wanted.iter().filter(|tool| (tool.find)().is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|tool| tool.what).collect();
    let packages: Vec<_> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    let by_hand = format!(
        "the tests need {}: install the Debian packages {}, or the like of your system",
        names.join(", "),
        packages.join(" ")
    );
    if !may_install || on_path("apt-get").is_none() {
        return Err(by_hand);
    }
    crate::say(&format!("installing {}\n", packages.join(" ")));
    let install = || -> Outcome<()> {
        process::run_quietly(as_root("apt-get").args(["update", "-q"]))?;
        process::run_quietly(
            as_root("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-q", "-y", "--no-install-recommends"])
                .args(&packages),
        )
    };
    install().map_err(|error| format!("{error}\n{by_hand}"))?;
    match wanted.iter().find(|tool| (tool.find)().is_none()) {
        None => Ok(()),
        Some(tool) => Err(format!("{} is still missing after the installation", tool.what)),
    }
}

/// Whether we are the superuser.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "0")
}

fn as_root(program: &str) -> Command {
    if is_root() {
        Command::new(program)
    } else {
        let mut command = Command::new("sudo");
        command.args(["--preserve-env=DEBIAN_FRONTEND", program]);
        command
    }
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path)
}

fn chromedriver() -> Option<PathBuf> {
    on_path("chromedriver")
}

/// Where PostgreSQL's server programs are: `initdb`'s folder tells.
pub(crate) fn initdb() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").ok().and_then(|versions| {
        let mut found: Vec<PathBuf> = versions
            .filter_map(|entry| Some(entry.ok()?.path().join("bin/initdb")))
            .filter(|path| path.exists())
            .collect();
        found.sort();
        found.pop()
    });
    debian.or_else(|| on_path("initdb"))
}

/// A Python that can make environments.
fn python() -> Option<PathBuf> {
    let python = on_path("python3")?;
    let works = Command::new(&python).args(["-c", "import venv, ensurepip"]).output();
    works.is_ok_and(|output| output.status.success()).then_some(python)
}

/// A program by its name.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain(["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(|folder| Path::new(folder).into()))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
