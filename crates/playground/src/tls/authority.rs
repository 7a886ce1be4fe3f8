//! The local certificate authority behind HTTPS: made on first use, kept with its owner alone.
//!
//! Its certificate says that it is good for Klarna's domains and for `localhost` only, so that even a
//! stolen key opens nothing else. The key leaves this module neither in a log nor in an error. Trusting
//! the certificate is left to whoever wants to: nothing here touches a trust store.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use super::hosts;

const KEY_FILE: &str = "ca-key.pem";
const CERTIFICATE_FILE: &str = "ca.pem";

/// How long a host's certificate is good: under the 398 days that browsers allow.
const HOST_DAYS: i32 = 397;

/// A local certificate authority.
pub struct Authority {
    key: KeyPair,
    certificate: String,
    directory: Option<PathBuf>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// The authority cannot be made, read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The key may be read by others.
    #[error(
        "{} can be read by other users of this machine; keep it to its owner (chmod 600), or delete \
         it and have a new authority made",
        path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// The files are not what this program writes, or cryptography failed.
    #[error("the certificate authority cannot be used: {0}")]
    Certificate(String),
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl Authority {
    /// One that is forgotten at the end.
    pub fn in_memory() -> Result<Self, AuthorityError> {
        Self::from_key(KeyPair::generate()?, None)
    }

    /// The one kept in `directory`, made there on first use.
    pub fn load_or_create(directory: &Path) -> Result<Self, AuthorityError> {
        let key_path = directory.join(KEY_FILE);
        if !key_path.exists() {
            private_directory(directory).map_err(file_error("make", directory))?;
            let key = KeyPair::generate()?;
            // Of two programs that start at once, the first one's key stays.
            create(&key_path, key.serialize_pem().as_bytes(), Readers::Owner)
                .map_err(file_error("write", &key_path))?;
        }
        let text = std::fs::read_to_string(&key_path).map_err(file_error("read", &key_path))?;
        if is_exposed(&key_path).map_err(file_error("read", &key_path))? {
            return Err(AuthorityError::Exposed { path: key_path });
        }
        // What is wrong with a key's text is not repeated: it is the key's text.
        let key = KeyPair::from_pem(&text).map_err(|_| {
            AuthorityError::Certificate(format!("{} holds no key", key_path.display()))
        })?;
        let mut authority = Self::from_key(key, Some(directory.to_path_buf()))?;
        let path = directory.join(CERTIFICATE_FILE);
        create(&path, authority.certificate.as_bytes(), Readers::Everyone)
            .map_err(file_error("write", &path))?;
        authority.certificate =
            std::fs::read_to_string(&path).map_err(file_error("read", &path))?;
        Ok(authority)
    }

    fn from_key(key: KeyPair, directory: Option<PathBuf>) -> Result<Self, AuthorityError> {
        let certificate = authority_params(&key).self_signed(&key)?.pem();
        Ok(Self { key, certificate, directory })
    }

    /// Its certificate, for whoever is to trust it, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Where that certificate is kept; `None` for an authority in memory.
    pub fn certificate_path(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(CERTIFICATE_FILE))
    }

    /// A key and a certificate for one host name, good from the day before `today`.
    pub(super) fn certify(
        &self,
        host: &str,
        today: Date,
    ) -> Result<Arc<CertifiedKey>, AuthorityError> {
        let mut params = CertificateParams::new([host.to_owned()])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        let (year, month, day) = date(today, -1);
        params.not_before = rcgen::date_time_ymd(year, month, day);
        let (year, month, day) = date(today, HOST_DAYS - 1);
        params.not_after = rcgen::date_time_ymd(year, month, day);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let issuer = authority_params(&self.key);
        let issuer = Issuer::from_params(&issuer, &self.key);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = any_supported_type(&key)
            .map_err(|error| AuthorityError::Certificate(error.to_string()))?;
        Ok(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

/// What the authority's certificate says. Everything follows from the key, so that the same issuer can
/// be formed again from the key alone.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let fingerprint = Sha256::digest(key.public_key_raw());
    let id = fingerprint.iter().take(4).fold(0_u32, |id, byte| (id << 8) | u32::from(*byte));
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Kassa");
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Kassa playground, this machine only ({id:08x})"));
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let names = hosts::DOMAINS.into_iter().chain(["localhost"]);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.map(|name| GeneralSubtree::DnsName(name.to_owned())).collect(),
        // A list of permitted names says nothing of addresses.
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)),
        ],
    });
    params
}

/// Year, month and day of the day so many days after another.
fn date(day: Date, days: i32) -> (i32, u8, u8) {
    let day = day.saturating_add(jiff::Span::new().days(days));
    let narrow = |number: i8| u8::try_from(number).unwrap_or(1);
    (i32::from(day.year()), narrow(day.month()), narrow(day.day()))
}

#[derive(Clone, Copy)]
enum Readers {
    Owner,
    Everyone,
}

/// Writes a file that must not exist; one that does is left as it is. A crash leaves the whole file or
/// none.
fn create(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let draft = path.with_extension(format!("{}.new", service::random::uuid().simple()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match readers {
            Readers::Owner => 0o600,
            Readers::Everyone => 0o644,
        },
    );
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => removed,
    }
}

fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuthorityError {
    let path = path.to_path_buf();
    move |source| AuthorityError::File { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_its_key_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("data/intercept");
        let first = Authority::load_or_create(&directory).unwrap();
        let second = Authority::load_or_create(&directory).unwrap();
        assert_eq!(first.certificate_pem(), second.certificate_pem());
        assert_eq!(first.key.public_key_raw(), second.key.public_key_raw());
        let mut names: Vec<_> = std::fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [KEY_FILE, CERTIFICATE_FILE]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&directory), 0o700);
            assert_eq!(mode(&directory.join(KEY_FILE)), 0o600);
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(directory.join(KEY_FILE), open).unwrap();
            let error = Authority::load_or_create(&directory).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_damaged_key_is_neither_overwritten_nor_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        create(&path, b"hunter2", Readers::Owner).unwrap();
        let error = Authority::load_or_create(folder.path()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"hunter2");
    }

    #[test]
    fn debug_output_shows_no_key() {
        let authority = Authority::in_memory().unwrap();
        let text = format!("{authority:?}");
        assert!(!text.contains("PRIVATE") && text.len() < 60, "{text}");
    }
}
