//! A client of the SFTP door.

use std::sync::Arc;

use playground::SftpDoor;
use russh::client;
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::SftpSession;

/// A client that checks that the server is the one that was announced.
pub struct Visitor {
    fingerprint: String,
}

impl client::Handler for Visitor {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        Ok(key.fingerprint(russh::keys::HashAlg::Sha256).to_string() == self.fingerprint)
    }
}

pub type Connection = client::Handle<Visitor>;

pub async fn connect(door: &SftpDoor) -> Connection {
    let visitor = Visitor { fingerprint: door.fingerprint.clone() };
    client::connect(Arc::new(client::Config::default()), door.address, visitor).await.unwrap()
}

pub async fn open(connection: &Connection) -> SftpSession {
    let channel = connection.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    SftpSession::new(channel.into_stream()).await.unwrap()
}

pub async fn sign_in(door: &SftpDoor, (username, password): (&str, &str)) -> SftpSession {
    let mut connection = connect(door).await;
    let result = connection.authenticate_password(username, password).await.unwrap();
    assert!(result.success(), "{username}");
    open(&connection).await
}

/// The names in a directory, sorted.
pub async fn names(sftp: &SftpSession, path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        sftp.read_dir(path).await.unwrap().map(|entry| entry.file_name()).collect();
    names.sort();
    names
}
