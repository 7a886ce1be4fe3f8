//! The playground's further ways in: HTTPS, Klarna's own host names, SFTP.
//!
//! Nothing here touches this machine's trust store, its hosts file or its ports below 1024 unless asked;
//! what a program needs to trust and reach us is told, and left to whoever runs it.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use playground::{Authority, Names, Running, SftpDoor, SftpError};
use tempfile::TempDir;

use crate::cli::{DoorArgs, SftpListen};
use crate::file::PlaygroundSection;
use crate::report::{ReadyIntercept, ReadySftp, ReadyTls};
use crate::settings::{Home, INTERCEPT_PORT, SFTP_PORT, loopback};

/// The ways that are open.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// HTTPS as `localhost`.
    pub(crate) tls: Option<ReadyTls>,
    /// HTTPS as Klarna.
    pub(crate) intercept: Option<ReadyIntercept>,
    /// SFTP.
    pub(crate) sftp: Option<ReadySftp>,
    /// Where the authority is, when nothing is to be left behind. Removed when dropped.
    pub(crate) scratch: Option<TempDir>,
}

impl Doors {
    /// Opens what was asked for; SFTP unless it was declined.
    pub(crate) async fn open(
        playground: &mut Running,
        args: &DoorArgs,
        file: &PlaygroundSection,
        home: &Home,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut doors = Self::default();
        let tls_listen = args.tls_listen.or(file.tls_listen);
        let intercept_listen = args.intercept_listen.or(file.intercept_listen);
        // Whoever says where means that it is to be done.
        let intercepts =
            args.intercept || file.intercept.unwrap_or_default() || intercept_listen.is_some();
        if tls_listen.is_some() || intercepts {
            let named = args.ca_dir.clone().or_else(|| file.ca_dir.clone());
            let directory = doors.authority_directory(named, home)?;
            let authority = Authority::load_or_create(&directory)?;
            let ca = authority.certificate_path().unwrap_or(directory);
            // As it can be pasted anywhere.
            let ca = std::path::absolute(&ca).unwrap_or(ca).display().to_string();
            if let Some(listen) = tls_listen {
                let address = playground
                    .open_tls(listen, Names::Localhost, &authority)
                    .await
                    .map_err(moved("--tls-listen"))?;
                let url = format!("https://localhost:{}", address.port());
                doors.tls = Some(ReadyTls { url, ca: ca.clone() });
            }
            if intercepts {
                let listen = intercept_listen.unwrap_or_else(|| loopback(INTERCEPT_PORT));
                let address = playground
                    .open_tls(listen, Names::Klarna, &authority)
                    .await
                    .map_err(moved("--intercept-listen"))?;
                let hosts = Names::Klarna.hosts();
                doors.intercept = Some(ReadyIntercept { address: address.to_string(), ca, hosts });
            }
        }
        let listen = args.sftp_listen.or(file.sftp_listen);
        doors.sftp = open_sftp(playground, listen).await?.map(|door| ReadySftp {
            url: format!("sftp://{}", door.address),
            host_key: door.host_key,
            fingerprint: door.fingerprint,
        });
        Ok(doors)
    }

    fn authority_directory(
        &mut self,
        named: Option<PathBuf>,
        home: &Home,
    ) -> Result<PathBuf, std::io::Error> {
        if let Some(named) = named {
            return Ok(named);
        }
        if let Some(directory) = home.directory() {
            return Ok(directory.join("intercept"));
        }
        let scratch = tempfile::Builder::new().prefix("kassa-ca-").tempdir()?;
        let directory = scratch.path().to_path_buf();
        self.scratch = Some(scratch);
        Ok(directory)
    }
}

/// Opens SFTP where it was asked for. Where nobody asked, the usual port may be taken by another Kassa;
/// any other one will do then.
async fn open_sftp(
    playground: &mut Running,
    listen: Option<SftpListen>,
) -> Result<Option<SftpDoor>, SftpError> {
    match listen {
        Some(SftpListen::Off) => Ok(None),
        Some(SftpListen::At(address)) => playground.open_sftp(address).await.map(Some),
        None => match playground.open_sftp(loopback(SFTP_PORT)).await {
            Err(SftpError::Bind { .. }) => playground.open_sftp(loopback(0)).await.map(Some),
            opened => opened.map(Some),
        },
    }
}

/// Names the flag that moves a door, when its port was taken or is not for everyone.
fn moved<E: Error + Send + Sync + 'static>(
    flag: &'static str,
) -> impl Fn(E) -> Box<dyn Error + Send + Sync> {
    move |error| {
        let text = error.to_string();
        if text.contains("--listen") { text.replace("--listen", flag).into() } else { error.into() }
    }
}

/// The port of an address that is written as text.
pub(crate) fn port_of(address: &str) -> u16 {
    address.parse::<SocketAddr>().map_or(0, |address| address.port())
}
