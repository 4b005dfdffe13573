//! `token issue`.

use mfa_proto::admin::{Reply, Request};
use mfa_proto::answer::SignedToken;
use zeroize::Zeroizing;

use super::{Context, hint, verb};
use crate::cli::TargetArgs;
use crate::failure::{Failure, exit};
use crate::render;

/// Prints a token, and nothing else: it is meant for a program.
pub(super) fn issue(context: &mut Context, arguments: TargetArgs) -> Result<u8, Failure> {
    let target = verb::target(context, arguments)?;
    let reply = context.target.ask(&Request::TokenIssue { target: target.clone() });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, &target.user, &context.now)))?;
    let Reply::Token(token) = reply else {
        return Err(context.target.unexpected());
    };
    if SignedToken::parse(token.expose()).is_none() {
        return Err(context.target.unexpected());
    }
    context.out.json(&render::view::token(&target.user, &token))?;
    let mut line = Zeroizing::new(String::with_capacity(token.expose().len().saturating_add(1)));
    line.push_str(token.expose());
    line.push('\n');
    context.out.text(&line)?;
    Ok(exit::OK)
}
