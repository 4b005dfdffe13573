//! What would decide a login, and what it would see.

use mfa_proto::{
    admin::{Explain, ExplainClient, Explanation, Refusal, RefusalCode, Reply},
    name::UserId,
};

use super::{Desk, look::fits, refusal::refused};
use crate::{
    server::{explain, explain_client},
    session::Reason,
};

impl Desk<'_> {
    pub(super) async fn explain(&self, login: Explain) -> Result<Reply, Refusal> {
        self.root_only("have a login explained")?;
        told(explain(self.core, &login).await, &login.user)
    }

    /// The same of a login that a client would have verified.
    pub(super) async fn explain_client(&self, login: ExplainClient) -> Result<Reply, Refusal> {
        self.root_only("have a login explained")?;
        let settings = self.core.settings();
        let clients = &settings.config().web().clients;
        let Some(client) = clients.iter().find(|client| client.name == login.client) else {
            let message = format!(
                "no client is called {}: [[web.client]] in the configuration says who may ask",
                login.client
            );
            return Err(refused(RefusalCode::Invalid, &message));
        };
        told(explain_client(self.core, client, &login).await, &login.user)
    }
}

fn told(explained: Result<Explanation, Reason>, user: &UserId) -> Result<Reply, Refusal> {
    let explained = explained.map_err(|reason| {
        let message = format!(
            "such a login would be refused: {user} cannot be looked up ({}); see journalctl -t mfad",
            reason.word()
        );
        refused(RefusalCode::Unavailable, &message)
    })?;
    Ok(Reply::Explained(Box::new(cut(explained))))
}

/// As much as fits a frame: what is left out are the last rules that do not match.
fn cut(mut explained: Explanation) -> Explanation {
    while !fits(&explained) && explained.why.len() > 1 {
        explained.why.pop();
    }
    while !fits(&explained) && explained.factors.pop().is_some() {}
    explained
}
