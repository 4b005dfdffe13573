//! What would decide a login, and what it would see.

use mfa_proto::admin::{Explain, Explanation, Refusal, RefusalCode, Reply};

use super::{Desk, look::fits, refusal::refused};
use crate::server::explain;

impl Desk<'_> {
    pub(super) async fn explain(&self, login: Explain) -> Result<Reply, Refusal> {
        self.root_only("have a login explained")?;
        let explained = explain(self.core, &login).await.map_err(|reason| {
            let message = format!(
                "such a login would be refused: {} cannot be looked up ({}); see journalctl -t mfad",
                login.user,
                reason.word()
            );
            refused(RefusalCode::Unavailable, &message)
        })?;
        Ok(Reply::Explained(Box::new(cut(explained))))
    }
}

/// As much as fits a frame: what is left out are the last rules that do not match.
fn cut(mut explained: Explanation) -> Explanation {
    while !fits(&explained) && explained.why.len() > 1 {
        explained.why.pop();
    }
    while !fits(&explained) && explained.factors.pop().is_some() {}
    explained
}
