//! Installing the clients that others wrote, for the tests that drive them.
//!
//! They come from the registries of npm and PyPI by their ordinary programs, in the versions that are
//! pinned beside the tests, and stay below the build's folder. Which they are is not known here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Outcome, workspace};
use crate::tools;

/// Tells the tests where the clients are.
pub(crate) const VARIABLE: &str = "KASSA_TEST_FOREIGN";

/// An environment for Python: its name, its list of packages, and what Python it needs.
struct Environment {
    name: &'static str,
    /// Versions of Python in which these packages can be installed, the best one first.
    pythons: &'static [&'static str],
}

const ENVIRONMENTS: &[Environment] = &[
    Environment { name: "klarna-orders", pythons: &["python3"] },
    Environment { name: "schemathesis", pythons: &["python3"] },
];

/// Installs what is missing, and says where everything is.
pub(crate) fn ensure(may_install: bool) -> Outcome<PathBuf> {
    let lists = workspace().join("crates/kassa/tests/foreign");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from);
    let folder = target.join("foreign");
    install(&folder.join("node"), &lists.join("package-lock.json"), may_install, |node| {
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(lists.join(name), node.join(name))
                .map_err(|error| format!("{name}: {error}"))?;
        }
        // No program of a package runs at its installation.
        let quiet = ["--ignore-scripts", "--no-audit", "--no-fund"];
        process::run_quietly(Command::new("npm").arg("ci").args(quiet).current_dir(node))
    })?;
    for environment in ENVIRONMENTS {
        let Some(python) = environment.pythons.iter().find_map(|name| tools::on_path(name)) else {
            crate::say(&format!(
                "{} needs {}: what it would show is not shown\n",
                environment.name,
                environment.pythons.join(" or ")
            ));
            continue;
        };
        let list = lists.join(format!("{}.txt", environment.name));
        install(&folder.join(environment.name), &list, may_install, |venv| {
            process::run_quietly(Command::new(&python).args(["-m", "venv"]).arg(venv))?;
            // The list is whole; what a package would draw in besides is not needed.
            let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"];
            process::run_quietly(Command::new(venv.join("bin/python")).args(pip).arg(&list))
        })?;
    }
    Ok(folder)
}

/// Does something in a fresh folder unless it was done for the same list before.
fn install(
    folder: &Path,
    list: &Path,
    may_install: bool,
    work: impl FnOnce(&Path) -> Outcome<()>,
) -> Outcome<()> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    let wanted =
        fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let done = folder.join("installed");
    if fs::read_to_string(&done).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if !may_install {
        return Err(format!("the tests need what {} lists", list.display()));
    }
    crate::say(&format!("installing what {} lists\n", list.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(named)?;
    }
    fs::create_dir_all(folder).map_err(named)?;
    work(folder)?;
    fs::write(done, wanted).map_err(named)
}
