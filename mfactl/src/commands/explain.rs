//! `explain`: why a login would go as it would go, of this host or of a client of mfad-web.

use mfa_proto::admin::{Explain, ExplainClient, Explanation, KeyClaim, Outlook, Reply, Request};
use mfa_proto::name::{Claim, UserId};

use super::{Context, hint};
use crate::cli::{ExplainArgs, when};
use crate::failure::{Failure, exit};
use crate::render::{self, explain::Login};

/// Has the daemon think a login through. The exit code says how it would go.
pub(super) fn run(context: &mut Context, arguments: ExplainArgs) -> Result<u8, Failure> {
    let login = login(context, arguments)?;
    let explanation = ask(context, &login)?;
    context.out.json(&render::explain::json(&login, &explanation))?;
    context.out.text(&render::explain::text(&login, &explanation, &context.now, context.out.style))?;
    Ok(match explanation.outlook {
        Outlook::Asked | Outlook::Enrolled => exit::OK,
        Outlook::Denied => exit::WRONG_CODE,
        Outlook::Skipped => exit::NOT_APPLICABLE,
    })
}

/// What the daemon says of `login`.
fn ask(context: &Context, login: &Login) -> Result<Explanation, Failure> {
    let request = match login {
        Login::Host(login) => Request::Explain(Box::new(login.clone())),
        Login::Client(login) => Request::ExplainClient(Box::new(login.clone())),
    };
    let reply = context
        .target
        .ask(&request)
        .map_err(|f| f.or_hint(|code| hint::root_only(code, login.user(), &context.now)))?;
    let Reply::Explained(explanation) = reply else {
        return Err(context.target.unexpected());
    };
    Ok(*explanation)
}

fn login(context: &Context, arguments: ExplainArgs) -> Result<Login, Failure> {
    let claim = |text: &str| Claim::clean_to(text, Claim::MAX_NAME);
    let fingerprint = arguments.key_fingerprint.as_deref().map(fingerprint).transpose()?;
    let at = |text: &str| when(text, context.now.time, &context.now.zone).map_err(Failure::usage);
    let user = UserId { realm: arguments.realm, name: arguments.user };
    let source = arguments.source.as_deref().map(claim);
    let key = arguments.key_type.map(|key_type| KeyClaim { key_type: claim(&key_type), fingerprint });
    let at = arguments.at.as_deref().map(at).transpose()?;
    match (arguments.client, arguments.service) {
        (Some(client), _) => Ok(Login::Client(ExplainClient { user, client, source, at })),
        (None, Some(service)) => Ok(Login::Host(Explain { user, service, source, key, at })),
        (None, None) => Err(Failure::usage("give --service or --client".to_owned())),
    }
}

/// The hash is always the one that policies name.
fn fingerprint(text: &str) -> Result<Claim, Failure> {
    let hash = text.strip_prefix("SHA256:").unwrap_or_default();
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    if hash.len() == 43 && hash.chars().all(base64) {
        return Ok(Claim::clean(text));
    }
    Err(Failure::usage(format!(
        "{:?} is no fingerprint: give SHA256: and 43 letters, as `ssh-keygen -l -f KEY.pub` prints it",
        mfa_proto::text::escape_for_log(text)
    )))
}
