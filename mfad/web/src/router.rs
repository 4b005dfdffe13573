//! Finds the dialect that a path belongs to, and has it answer.
//!
//! Refuses paths that no dialect of the listener has, in the form of mfad's own API.

use std::{net::IpAddr, sync::Arc};

use hyper::StatusCode;
use mfa_role::config::{Dialect, Web, WebClient};

use crate::{
    answer::Answer,
    call::Call,
    ceptor::{self, Sessions},
    clients::Clients,
    lemonldap,
    link::Link,
    linotp, ntopng,
    prover::Prover,
    transactions::Transactions,
    v1,
    verify::Desk,
};

/// What requests need; a reload replaces it.
#[derive(Debug)]
pub struct State {
    /// The configuration.
    pub web: Web,
    /// Who may ask.
    pub clients: Clients,
    /// The way to core.
    pub link: Link,
    /// Challenges that are open.
    pub transactions: Transactions,
    /// People who have logged in through the dialect of Ceptor.
    pub sessions: Sessions,
    /// The way to what proves their passwords.
    pub prover: Prover,
}

impl State {
    /// The way to ask core on behalf of a client.
    pub fn desk(&self, client: Arc<WebClient>, address: Option<IpAddr>) -> Desk {
        Desk {
            link: self.link.clone(),
            transactions: self.transactions.clone(),
            client,
            address: address.map(|address| address.to_string()),
            lifetime: self.web.transaction_lifetime,
            most: usize::try_from(self.web.max_transactions).unwrap_or(usize::MAX),
        }
    }
}

/// Answers one request.
pub async fn answer(call: &mut Call, dialects: &[mfa_role::config::Mount]) -> Answer {
    let path = call.whole_path();
    // The longest prefix wins, and a prefix ends where a part of the path does.
    let fits = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    let mut mounts: Vec<_> = dialects.iter().filter(|mount| fits(&mount.prefix)).collect();
    mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
    for mount in mounts {
        call.set_prefix(mount.prefix.len());
        let answered = match mount.dialect {
            Dialect::V1 => v1::answer(call).await,
            Dialect::Ceptor => ceptor::answer(call).await,
            Dialect::LemonLdap => lemonldap::answer(call).await,
            Dialect::LinOtp => linotp::answer(call).await,
            Dialect::Ntopng => ntopng::answer(call).await,
        };
        if let Some(answer) = answered {
            return answer;
        }
    }
    v1::problem(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
}
