//! Asks a directory whether a password is a person's: finds the one entry of that name by an account of its own,
//! then binds as that entry over a connection of its own (RFC 4513 5.1.3).
//!
//! Yes is a bind that succeeded, and nothing else is. Refuses to send an empty password (a server calls that a
//! success without having looked), to choose among entries, to follow referrals, and to take a name that is only
//! like the one that was typed: factors belong to the name as written.

mod aged;
mod connection;
mod start_tls;
mod trouble;
mod way;

use std::{sync::Arc, time::Duration};

use ldap3::{
    DerefAliases, ResultEntry, Scope, SearchEntry, SearchOptions, SearchResult, ldap_escape, parse_filter,
};
use mfa_proto::{
    name::UserName,
    password::{Check, Reply},
    secret::SecretText,
};
use mfa_role::config::{LdapDirectory, Piece, Template};
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

/// A directory that proves passwords. Holds no connection.
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
        let mut last = LdapTrouble::Garbled;
        for (index, server) in self.servers.iter().enumerate() {
            // A task of its own: the library gives up on malformed answers by a panic, which ends the task alone.
            let mut asking = JoinSet::new();
            let (user, password) = (check.user.clone(), check.password.again());
            asking.spawn(Arc::clone(&self).ask(index, user, password));
            let asked = match timeout(self.share, asking.join_next()).await {
                Ok(Some(Ok(asked))) => asked,
                Ok(Some(Err(_)) | None) => Err(LdapTrouble::Garbled),
                Err(_) => Err(LdapTrouble::Late),
            };
            match asked {
                Ok(reply) => return Ok(reply),
                Err(trouble) => {
                    warn!(user = %check.user, "LDAP server {server}: {trouble}");
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
        let Some(dn) = self.find(server, &user).await? else { return Ok(Reply::No) };
        let mut connection = server.connect().await?;
        let step = "the bind as the person";
        let bind = connection.ldap.with_controls(aged::question());
        let bound = bind.simple_bind(&dn, password.expose()).await.map_err(|_| LdapTrouble::Broken(step))?;
        match bound.rc {
            code::SUCCESS if aged::must_change(&bound.ctrls) => Ok(Reply::MustChange),
            code::SUCCESS => Ok(Reply::Yes),
            code::INVALID_CREDENTIALS | code::CONSTRAINT | code::UNWILLING => Ok(Reply::No),
            code::REFERRAL => Err(LdapTrouble::Referred),
            code => Err(LdapTrouble::Refused { step, code }),
        }
    }

    /// The name of the one entry that is the person's; `None` when there is not exactly one.
    async fn find(&self, server: &Server, user: &UserName) -> Result<Option<String>, LdapTrouble> {
        let mut connection = server.connect().await?;
        let step = "the bind as `bind_dn`";
        let bound = connection.ldap.simple_bind(&self.bind_dn, self.password.expose()).await;
        let code = bound.map_err(|_| LdapTrouble::Broken(step))?.rc;
        if code != code::SUCCESS {
            return Err(LdapTrouble::Refused { step, code });
        }
        let step = "the search for the person";
        let two = SearchOptions::new().sizelimit(2).deref(DerefAliases::Never);
        let filter = self.filter(user.as_str());
        let search = connection.ldap.with_search_options(two);
        let found = search.search(&self.base, Scope::Subtree, &filter, [self.name_attribute.as_str()]).await;
        let SearchResult(entries, result) = found.map_err(|_| LdapTrouble::Broken(step))?;
        match result.rc {
            code::SUCCESS | code::SIZE_LIMIT => {}
            code::REFERRAL => return Err(LdapTrouble::Referred),
            code => return Err(LdapTrouble::Refused { step, code }),
        }
        // The library puts references aside that came among the entries.
        if !result.refs.is_empty() || entries.iter().any(ResultEntry::is_ref) {
            return Err(LdapTrouble::Referred);
        }
        Ok(self.only(entries, result.rc, user))
    }

    fn only(&self, entries: Vec<ResultEntry>, code: u32, user: &UserName) -> Option<String> {
        let mut entries = entries.into_iter();
        let (first, second) = (entries.next()?, entries.next());
        if second.is_some() || code != code::SUCCESS {
            warn!(%user, "the LDAP directory has more than one entry of this name: none was chosen; narrow `filter` or `base`");
            return None;
        }
        let entry = SearchEntry::construct(first);
        let is_name = |name: &str| name.eq_ignore_ascii_case(&self.name_attribute);
        let names = entry.attrs.iter().find(|(name, _)| is_name(name)).map(|(_, values)| values.as_slice());
        let exact = matches!(names, Some([name]) if name == user.as_str());
        // A bind without a name is one of nobody, which may succeed.
        (exact && !entry.dn.is_empty()).then_some(entry.dn)
    }

    /// The filter for a name, in which the name is only ever a value (RFC 4515 3).
    fn filter(&self, user: &str) -> String {
        let user = ldap_escape(user);
        let Some(filter) = &self.filter else { return format!("({}={user})", self.name_attribute) };
        let pieces = filter.pieces().iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            // There is no other fact in it.
            Piece::Fact(_) => user.as_ref(),
            Piece::Credential(_) => "",
        });
        pieces.collect()
    }
}
