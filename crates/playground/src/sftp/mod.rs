//! Klarna's SFTP server: each account finds the reports of its merchants' payouts, and nothing else.
//!
//! * [`session`] is SSH: who signs in, and what a connection may ask for.
//! * [`protocol`] is SFTP: it reads, lists and says no to everything that would change something.
//! * [`shelf`] knows the reports: which there are, how long they are, what is in them.
//!
//! There are no files: what is listed are payouts, what is read is written as it is read, so that a
//! report's length costs no memory. A path is looked up among the names that were listed
//! (`domain::sftp`), so that there is nothing outside of it to get to.

mod attempts;
mod host_key;
mod protocol;
mod session;
mod shelf;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::keys::HashAlg;
use russh::{Disconnect, MethodKind, MethodSet, SshId};
use service::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use self::attempts::Attempts;
use self::session::Session;
use self::shelf::Shelf;
use crate::app::App;
use crate::store::StoreError;

/// How many connections there are at once.
const MAX_CONNECTIONS: usize = 64;

/// How many times a connection may try to sign in.
const MAX_ATTEMPTS: usize = 6;

/// How long a refused attempt takes, whatever was wrong with it.
const REFUSAL_TIME: Duration = Duration::from_millis(300);

/// How long a client may take to say who it is.
const SIGN_IN_TIME: Duration = Duration::from_secs(30);

/// How long a connection may be silent.
const IDLE_TIME: Duration = Duration::from_secs(600);

/// How long a connection gets to end when the playground stops.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

/// The SFTP server, as its users have to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpDoor {
    /// The address that it is bound to.
    pub address: SocketAddr,
    /// Its public key, in OpenSSH's form.
    pub host_key: String,
    /// That key's fingerprint: `SHA256:…`.
    pub fingerprint: String,
}

/// The SFTP server could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SftpError {
    /// The port could not be had.
    #[error(
        "cannot listen for SFTP on {address}: {source}; choose another address with --sftp-listen, \
         or stop the program that uses it"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The host key cannot be kept.
    #[error("the SFTP server's host key cannot be kept")]
    Storage(#[from] storage::Error),
    /// The host key cannot be made or read.
    #[error("the SFTP server's host key cannot be used: {0}")]
    HostKey(String),
}

/// What all connections share.
struct Door {
    app: App,
    shelf: Shelf,
    attempts: Attempts,
}

/// Opens the server; the task ends when `shutdown` fires.
pub(crate) async fn open(
    app: &App,
    listen: SocketAddr,
    shutdown: Shutdown,
) -> Result<(SftpDoor, JoinHandle<()>), SftpError> {
    let bind = |source| SftpError::Bind { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let keys = host_key::load_or_create(app).await?;
    let shown = keys.first().map(|key| key.public_key().clone());
    let shown = shown.ok_or_else(|| SftpError::HostKey("there is none".to_owned()))?;
    let host_key = shown.to_openssh().map_err(|error| SftpError::HostKey(error.to_string()))?;
    let fingerprint = shown.fingerprint(HashAlg::Sha256).to_string();
    let config = russh::server::Config {
        server_id: SshId::Standard("SSH-2.0-Kassa".into()),
        methods: MethodSet::from(&[MethodKind::Password, MethodKind::PublicKey][..]),
        auth_rejection_time: REFUSAL_TIME,
        // Clients ask without a password first, to learn what there is; that tells nobody anything.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        max_auth_attempts: MAX_ATTEMPTS,
        inactivity_timeout: Some(IDLE_TIME),
        nodelay: true,
        ..russh::server::Config::default()
    };
    let door =
        Door { app: app.clone(), shelf: Shelf::new(app.clone()), attempts: Attempts::default() };
    let task = tokio::spawn(accept(listener, Arc::new(config), Arc::new(door), shutdown));
    Ok((SftpDoor { address, host_key, fingerprint }, task))
}

async fn accept(
    listener: TcpListener,
    config: Arc<russh::server::Config>,
    door: Arc<Door>,
    shutdown: Shutdown,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Most likely out of file descriptors, which heals when others close.
                    tracing::warn!(%error, "an SFTP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = shutdown.requested() => break,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("an SFTP connection was refused: there are {MAX_CONNECTIONS}");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (config, door, shutdown) = (Arc::clone(&config), Arc::clone(&door), shutdown.clone());
        connections.spawn(async move {
            if let Err(error) = converse(stream, peer, config, door, shutdown).await {
                tracing::debug!(%error, "an SFTP connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    config: Arc<russh::server::Config>,
    door: Arc<Door>,
    shutdown: Shutdown,
) -> Result<(), russh::Error> {
    let signed_in = Arc::new(AtomicBool::new(false));
    let session = Session::new(door, peer.ip(), Arc::clone(&signed_in));
    let started =
        tokio::time::timeout(SIGN_IN_TIME, russh::server::run_stream(config, stream, session));
    let mut running = tokio::select! {
        started = started => started.map_err(|_| russh::Error::ConnectionTimeout)??,
        () = shutdown.requested() => return Ok(()),
    };
    let handle = running.handle();
    let too_late = async {
        tokio::time::sleep(SIGN_IN_TIME).await;
        if signed_in.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = &mut running => return ended,
        () = too_late => {}
        () = shutdown.requested() => {}
    }
    let goodbye = async {
        let (why, language) = ("goodbye".to_owned(), "en".to_owned());
        handle.disconnect(Disconnect::ByApplication, why, language).await?;
        running.await
    };
    tokio::time::timeout(GOODBYE_TIME, goodbye).await.unwrap_or(Ok(()))
}

/// Says in the log what the client is not to know.
fn report(error: &StoreError) {
    tracing::error!(
        error = %crate::api::error::Chain(error),
        "an SFTP request failed on the playground's side"
    );
}
