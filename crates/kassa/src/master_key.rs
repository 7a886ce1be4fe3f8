//! The key under which the gateway seals its secrets: given in the environment, read from a file, or
//! made up on first use and kept beside the data.
//!
//! With a database that others can reach, a key that lies in some node's data directory would be lost
//! with it, or differ from node to node: there it must be given.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gateway::vault::{MasterKey, Vault};
use klarna::types::secret::Secret;
use storage::Location;

use crate::settings::Home;

/// The file's name inside the data directory.
const FILE: &str = "master-key";

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Where the key comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// It was given, one or several.
    Given(Secret),
    /// It stands in a file that was named.
    Named(PathBuf),
    /// It stands in the data directory, and is made up on first use.
    Own(PathBuf),
    /// Nothing is kept: any will do.
    Ephemeral,
}

/// Whether a key may be made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MakeUp {
    /// It may: this is the only process, on one machine.
    Always,
    /// Only for a database that lies in the data directory, too.
    Embedded,
}

impl Source {
    /// From what was said.
    pub(crate) fn resolve(
        given: Option<Secret>,
        file: Option<PathBuf>,
        home: &Home,
        location: &Location,
        make_up: MakeUp,
    ) -> Outcome<Self> {
        match (given, file) {
            (Some(_), Some(_)) => {
                Err("give the master key itself (KASSA_MASTER_KEY) or the file that \
                                       it stands in (--master-key-file), not both"
                    .into())
            }
            (Some(key), None) => Ok(Self::Given(key)),
            (None, Some(path)) => Ok(Self::Named(path)),
            (None, None) => {
                let shared = matches!(location, Location::Postgres(_));
                if shared && make_up == MakeUp::Embedded {
                    return Err("with PostgreSQL the gateway needs a master key, under which it seals \
                                Klarna's credentials: make one with `openssl rand -hex 32` and give \
                                it to every node, as KASSA_MASTER_KEY or in a file \
                                (--master-key-file). Keep a copy of it apart from the database"
                        .into());
                }
                Ok(match home.directory() {
                    Some(directory) => Self::Own(directory.join(FILE)),
                    None => Self::Ephemeral,
                })
            }
        }
    }

    /// The keys, the one that seals first.
    pub(crate) fn keys(&self) -> Outcome<Vec<MasterKey>> {
        match self {
            Self::Given(text) => MasterKey::parse_all(text.expose())
                .map_err(|error| format!("KASSA_MASTER_KEY: {error}").into()),
            Self::Named(path) => read(path),
            Self::Own(path) if path.exists() => read(path),
            Self::Own(path) => {
                let key = MasterKey::generate();
                write(path, std::slice::from_ref(&key))?;
                Ok(vec![key])
            }
            Self::Ephemeral => Ok(vec![MasterKey::generate()]),
        }
    }

    /// What seals and opens.
    pub(crate) fn vault(&self) -> Outcome<Vault> {
        Vault::of(&self.keys()?).ok_or_else(|| "there is no master key".into())
    }
}

fn read(path: &Path) -> Outcome<Vec<MasterKey>> {
    let text = std::fs::read_to_string(path)
        .map(Secret::from)
        .map_err(|error| format!("cannot read the master key {}: {error}", path.display()))?;
    MasterKey::parse_all(text.expose())
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Writes keys, one a line, for the owner's eyes only.
pub(crate) fn write(path: &Path, keys: &[MasterKey]) -> Outcome<()> {
    let failed =
        |error: std::io::Error| format!("cannot write the master key {}: {error}", path.display());
    if let Some(directory) = path.parent() {
        crate::credentials::private_directory(directory).map_err(failed)?;
    }
    // Written beside and renamed, so that a crash leaves the whole file or none.
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(failed)?;
    for key in keys {
        writeln!(file, "{}", key.to_text().expose()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    Ok(std::fs::rename(&draft, path).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres() -> Location {
        Location::Postgres("postgres://localhost/kassa".to_owned())
    }

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let home = Home::Directory(data_dir.clone());
        let location = home.database("gateway");
        let source = || Source::resolve(None, None, &home, &location, MakeUp::Embedded).unwrap();
        let first = source().keys().unwrap();
        let again = source().keys().unwrap();
        assert_eq!((first.len(), first[0].id()), (1, again[0].id()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_database_that_others_reach_needs_a_key_that_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::Directory(folder.path().to_path_buf());
        let refused = Source::resolve(None, None, &home, &postgres(), MakeUp::Embedded);
        let said = refused.unwrap_err().to_string();
        for told in ["openssl rand -hex 32", "KASSA_MASTER_KEY", "--master-key-file"] {
            assert!(said.contains(told), "{said}");
        }
        assert!(Source::resolve(None, None, &home, &postgres(), MakeUp::Always).is_ok());
        let key = Secret::from("ab".repeat(32));
        let given = Source::resolve(Some(key.clone()), None, &home, &postgres(), MakeUp::Embedded);
        assert_eq!(given.unwrap().keys().unwrap().len(), 1);
        let both = Source::resolve(
            Some(key),
            Some("key".into()),
            &home,
            &Location::Memory,
            MakeUp::Embedded,
        );
        assert!(both.unwrap_err().to_string().contains("not both"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "hunter2").unwrap();
        for source in [Source::Named(path), Source::Given(Secret::from("hunter2"))] {
            let said = source.keys().unwrap_err().to_string();
            assert!(said.contains("64 hexadecimal digits") && !said.contains("hunter2"), "{said}");
        }
        let missing = Source::Named(folder.path().join("nothing"));
        assert!(missing.keys().unwrap_err().to_string().starts_with("cannot read"));
    }
}
