//! `cargo xtask clients`: the typed clients below `clients/`, from the gateway's description of its API.
//!
//! The description is read where it is held as a contract, in the snapshot beside the gateway's sources, so
//! that nothing has to be built or run. What is generated is types and the list of operations; how a call is
//! made, repeated and paged, and how a webhook is checked, is written by hand beside it. Our own generator,
//! because those for TypeScript and Python that are around bring a runtime of their own or a download into
//! each build, and none makes both clients alike.

mod model;
mod python;
mod typescript;

use std::fs;
use std::path::PathBuf;

use crate::process::{Outcome, workspace};

/// What to do about clients that are not as they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// Write them.
    Write,
    /// Say so.
    Fail,
}

const CONTRACT: &str = "crates/gateway/src/api/snapshots/gateway__api__openapi__tests__the_contract_is_as_recorded.snap";

/// Writes the generated files, or compares them.
pub(crate) fn run(on_change: OnChange) -> Outcome<()> {
    let mut stale = Vec::new();
    for (path, wanted) in generated()? {
        if fs::read_to_string(&path).is_ok_and(|found| found == wanted) {
            continue;
        }
        match on_change {
            OnChange::Write => {
                fs::write(&path, wanted).map_err(|error| format!("{}: {error}", path.display()))?;
                crate::say(&format!("wrote {}\n", path.display()));
            }
            OnChange::Fail => stale.push(path.display().to_string()),
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the clients are not those of the API as it is described: {}; run `cargo xtask clients`",
        stale.join(", ")
    ))
}

fn generated() -> Outcome<Vec<(PathBuf, String)>> {
    let path = workspace().join(CONTRACT);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    // A snapshot begins with what insta keeps about it, between two lines of dashes.
    let document = text.splitn(3, "---\n").nth(2).ok_or("the snapshot has no document")?;
    let described = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let api = model::Api::read(&described)?;
    let clients = workspace().join("clients");
    Ok(vec![
        (clients.join("typescript/src/types.d.ts"), typescript::types(&api)),
        (clients.join("typescript/src/operations.js"), typescript::operations(&api)),
        (clients.join("python/kassa_client/types.py"), python::types(&api)),
        (clients.join("python/kassa_client/operations.py"), python::operations(&api)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_are_those_of_the_api_as_it_is_described() {
        run(OnChange::Fail).unwrap();
    }
}
