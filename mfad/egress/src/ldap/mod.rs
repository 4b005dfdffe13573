//! Asks a directory whether a password is a person's: finds the one entry of that name by an account of its own,
//! then binds as that entry over a connection of its own (RFC 4513 5.1.3). [`look`] asks what else it has of one.
//!
//! Yes is a bind that succeeded, and nothing else is. Refuses to send an empty password (a server calls that a
//! success without having looked), to choose among entries, to follow referrals, and to take a name that is only
//! like the one that was typed: factors belong to the name as written.

mod aged;
mod connection;
mod look;
mod search;
mod start_tls;
mod trouble;
mod way;

use std::{future::Future, sync::Arc, time::Duration};

use ldap3::parse_filter;
use mfa_proto::{
    name::UserName,
    password::{Check, Reply},
    secret::SecretText,
};
use mfa_role::config::{LdapDirectory, LdapLook, Template};
use tokio::{task::JoinSet, time::timeout};
use tracing::warn;

use self::connection::Server;
pub use self::trouble::LdapTrouble;
pub(crate) use self::way::ByDirectory;
use crate::{
    http::Trust,
    secrets::{Secret, Secrets},
};

/// Result codes (RFC 4511 A.1).
mod code {
    pub(super) const SUCCESS: u32 = 0;
    pub(super) const SIZE_LIMIT: u32 = 4;
    pub(super) const REFERRAL: u32 = 10;
    /// What servers say of accounts that are locked or whose password has expired, beside "invalid credentials".
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const INVALID_CREDENTIALS: u32 = 49;
    pub(super) const UNWILLING: u32 = 53;
}

/// A directory that proves passwords, and has addresses and sealed secrets. Holds no connection.
#[derive(Debug)]
pub struct Directory {
    servers: Vec<Server>,
    /// What each server may take.
    share: Duration,
    bind_dn: String,
    password: Secret,
    base: String,
    name_attribute: String,
    filter: Option<Template>,
    look: Option<LdapLook>,
}

impl Directory {
    /// Reads the certificates to trust; says what is wrong with them, or with the filter.
    pub fn new(terms: &LdapDirectory, trust: &Trust, secrets: &Secrets) -> Result<Self, String> {
        let password = secrets.get(&terms.credential).cloned();
        let password = password.ok_or_else(|| format!("credential \"{}\" was not read", terms.credential))?;
        let servers = terms.servers.iter().map(|server| Server::new(server, terms, trust));
        let servers = servers.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let directory = Self {
            share: terms.timeout / u32::try_from(servers.len().max(1)).unwrap_or(1),
            servers,
            bind_dn: terms.bind_dn.clone(),
            password,
            base: terms.base.clone(),
            name_attribute: terms.name_attribute.clone(),
            filter: terms.filter.clone(),
            look: terms.look.clone(),
        };
        if parse_filter(directory.filter("jane")).is_err() {
            return Err(
                "`filter` is no LDAP filter: write one as \"(&(objectClass=person)(uid={user}))\"".into()
            );
        }
        Ok(directory)
    }

    /// Whether the password is the person's. The servers are asked in turn until one says so or not.
    pub async fn prove(self: Arc<Self>, check: &Check) -> Result<Reply, LdapTrouble> {
        if check.password.expose().is_empty() {
            return Ok(Reply::No);
        }
        self.in_turn(&check.user, |directory, index| {
            directory.ask(index, check.user.clone(), check.password.again())
        })
        .await
    }

    /// Asks the servers in turn until one gives an answer, whichever it is.
    async fn in_turn<T, F>(
        self: Arc<Self>,
        user: &UserName,
        ask: impl Fn(Arc<Self>, usize) -> F,
    ) -> Result<T, LdapTrouble>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LdapTrouble>> + Send + 'static,
    {
        let mut last = LdapTrouble::Garbled;
        for (index, server) in self.servers.iter().enumerate() {
            // A task of its own: the library gives up on malformed answers by a panic, which ends the task alone.
            let mut asking = JoinSet::new();
            asking.spawn(ask(Arc::clone(&self), index));
            let asked = match timeout(self.share, asking.join_next()).await {
                Ok(Some(Ok(asked))) => asked,
                Ok(Some(Err(_)) | None) => Err(LdapTrouble::Garbled),
                Err(_) => Err(LdapTrouble::Late),
            };
            match asked {
                Ok(answer) => return Ok(answer),
                Err(trouble) => {
                    warn!(%user, "LDAP server {server}: {trouble}");
                    last = trouble;
                }
            }
        }
        Err(last)
    }

    async fn ask(
        self: Arc<Self>,
        index: usize,
        user: UserName,
        password: SecretText,
    ) -> Result<Reply, LdapTrouble> {
        let Some(server) = self.servers.get(index) else { return Err(LdapTrouble::Garbled) };
        let Some(entry) = self.find(server, &user, &[]).await? else { return Ok(Reply::No) };
        let mut connection = server.connect().await?;
        let step = "the bind as the person";
        let bind = connection.ldap.with_controls(aged::question());
        let bound =
            bind.simple_bind(&entry.dn, password.expose()).await.map_err(|_| LdapTrouble::Broken(step))?;
        match bound.rc {
            code::SUCCESS if aged::must_change(&bound.ctrls) => Ok(Reply::MustChange),
            code::SUCCESS => Ok(Reply::Yes),
            code::INVALID_CREDENTIALS | code::CONSTRAINT | code::UNWILLING => Ok(Reply::No),
            code::REFERRAL => Err(LdapTrouble::Referred),
            code => Err(LdapTrouble::Refused { step, code }),
        }
    }
}
