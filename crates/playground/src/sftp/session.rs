//! SSH: signing in, and the one thing that a connection may ask for.
//!
//! Passwords are compared as salted hashes in constant time, also for names that nobody has. There is no
//! shell, no command, no forwarding: whatever is not the SFTP subsystem is refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use russh::keys::{HashAlg, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, ChannelId, Pty};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::protocol::Protocol;
use super::{Door, report};
use crate::store::StoreError;
use crate::store::sftp::{self, Account};

/// How many channels a connection may have.
const MAX_CHANNELS: usize = 8;

/// No user name and no password is longer.
const MAX_CREDENTIAL_BYTES: usize = 1_024;

/// One connection.
pub(super) struct Session {
    door: Arc<Door>,
    address: IpAddr,
    signed_in: Arc<AtomicBool>,
    account: Option<Account>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Session {
    /// A connection of whom nothing is known; `signed_in` is told when that changes.
    pub(super) fn new(door: Arc<Door>, address: IpAddr, signed_in: Arc<AtomicBool>) -> Self {
        Self { door, address, signed_in, account: None, channels: HashMap::new() }
    }

    async fn find(&self, username: &str) -> Option<Account> {
        let username = username.to_owned();
        let found =
            self.door.app.db().read(move |tx| Ok::<_, StoreError>(sftp::find(tx, &username)?));
        found.await.unwrap_or_else(|error| {
            report(&error);
            None
        })
    }

    async fn has_key(&self, username: &str, key: &PublicKey) -> Option<Account> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let account = self.find(username).await?;
        let is_known = account.public_keys.iter().any(|known| known.fingerprint == fingerprint);
        is_known.then_some(account)
    }

    fn admit(&mut self, account: Account) -> Auth {
        tracing::debug!(sftp.username = account.username, "signed in for SFTP");
        self.account = Some(account);
        self.signed_in.store(true, Ordering::Release);
        Auth::Accept
    }

    fn may_try(&self, username: &str) -> bool {
        username.len() <= MAX_CREDENTIAL_BYTES
            && self.door.attempts.may_try(self.address, username, Instant::now())
    }
}

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        if !self.may_try(user) || password.len() > MAX_CREDENTIAL_BYTES {
            return Ok(Auth::reject());
        }
        let account = self.find(user).await;
        let sent = self.door.app.hash_secret(password);
        // A name that nobody has costs the same time.
        let expected = account.as_ref().map_or([0; 32], |account| account.secret_hash);
        let Some(account) = account.filter(|_| bool::from(expected.ct_eq(&sent))) else {
            self.door.attempts.failed(self.address, user, Instant::now());
            return Ok(Auth::reject());
        };
        Ok(self.admit(account))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        if user.len() > MAX_CREDENTIAL_BYTES {
            return Ok(Auth::reject());
        }
        // The signature is not checked yet: this only spares the client one in vain.
        Ok(match self.has_key(user, offer.public_key).await {
            Some(_) => Auth::Accept,
            None => Auth::reject(),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(match self.has_key(user, key.public_key).await {
            Some(account) => self.admit(account),
            None => Auth::reject(),
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        // Without an answer the channel is refused.
        if self.channels.len() < MAX_CHANNELS {
            self.channels.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        let stream = self.channels.remove(&channel).map(Channel::into_stream);
        match (name, stream, &self.account) {
            ("sftp", Some(stream), Some(account)) => {
                session.channel_success(channel)?;
                let protocol = Protocol::new(self.door.shelf.clone(), account.folders.clone());
                russh_sftp::server::run(stream, protocol).await;
                Ok(())
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.close(channel)
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut russh::server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
