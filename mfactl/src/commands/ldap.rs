//! `ldap`: has secrets sealed for a directory, and what it has taken over.

use mfa_proto::admin::{
    DirectoryChange, FactorKind, NewParams, Pulled, PulledFactor, Reply, Request, SealedSecret, TotpParams,
};
use mfa_proto::name::{FactorLabel, UserId};
use mfa_proto::secret::SecretText;
use mfa_proto::text::{ShownText, escape_for_log};
use mfactl::import::{self, Format, Options, Params};
use serde_json::{Value, json};

use super::{Context, enroll, hint, list, secret};
use crate::cli::{LdapPullArgs, LdapSealArgs, LdapVerb, Shown};
use crate::failure::{Failure, exit};
use crate::{render, terminal};

/// Does what is asked.
pub(super) fn run(context: &mut Context, verb: LdapVerb) -> Result<u8, Failure> {
    match verb {
        LdapVerb::Seal(arguments) => seal(context, arguments),
        LdapVerb::Pull(arguments) => pull(context, &arguments),
    }
}

/// A sealed secret. Not a [`Value`], which would copy it.
#[derive(serde::Serialize)]
struct SealedView<'a> {
    user: &'a str,
    realm: &'a str,
    value: &'a SecretText,
    secret: Option<&'a SecretText>,
    uri: Option<&'a SecretText>,
}

fn seal(context: &mut Context, arguments: LdapSealArgs) -> Result<u8, Failure> {
    let LdapSealArgs { user, algorithm, digits, period, secret_stdin, shown } = arguments;
    let user = user.id();
    let mut params = TotpParams { algorithm: algorithm.into(), digits, period };
    let secret = if secret_stdin { Some(brought_along(context, &mut params)?) } else { None };
    let reply = context.target.ask(&Request::LdapSeal { user: user.clone(), params, secret });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, &user, &context.now)))?;
    let Reply::Sealed(sealed) = reply else { return Err(context.target.unexpected()) };
    context.out.json(&SealedView {
        user: user.name.as_str(),
        realm: user.realm.as_str(),
        value: &sealed.value,
        secret: sealed.secret.as_ref(),
        uri: sealed.uri.as_ref(),
    })?;
    show(context, (&user, params), (&sealed, &shown))?;
    Ok(exit::OK)
}

/// The secret on standard input. A link says what its codes are like, too.
fn brought_along(context: &mut Context, params: &mut TotpParams) -> Result<SecretText, Failure> {
    let given = terminal::stdin_line(&mut context.out, "secret (base32 or otpauth link)")?;
    if !given.expose().trim_start().to_ascii_lowercase().starts_with("otpauth") {
        return secret::tidy(&given);
    }
    let mut parsed = import::parse(Format::Otpauth, given.expose().as_bytes(), &Options::default());
    match (parsed.entries.pop(), parsed.rejected.pop()) {
        (Some(entry), None) if parsed.entries.is_empty() => {
            let Params::Totp(totp) = entry.factor.params else {
                return Err(Failure::usage("only time-based codes (totp) can be in a directory"));
            };
            *params = totp;
            entry.factor.key.to_base32().ok_or_else(|| Failure::usage("the key of the link cannot be used"))
        }
        (_, Some(rejected)) => Err(Failure::usage(format!("the link cannot be used: {}", rejected.why))),
        (Some(_) | None, None) => Err(Failure::usage("one link of one factor is needed")),
    }
}

/// The value stands alone where the secret is known already, so that scripts can take it.
fn show(
    context: &mut Context,
    (user, params): (&UserId, TotpParams),
    (sealed, shown): (&SealedSecret, &Shown),
) -> Result<(), Failure> {
    if let Some(secret) = &sealed.secret {
        enroll::authenticator(context, (&NewParams::Totp(params), shown), (secret, sealed.uri.as_ref()))?;
        let name = escape_for_log(&user.to_string());
        context.out.text(&format!(
            "The key cannot be shown again. The value for {name} in the directory (all of one line):\n\n"
        ))?;
    }
    context.out.text(sealed.value.expose())?;
    context.out.text("\n")
}

fn pull(context: &mut Context, arguments: &LdapPullArgs) -> Result<u8, Failure> {
    let mut users: Vec<UserId> = arguments.users.iter().cloned().map(UserId::local).collect();
    if arguments.all {
        let held = list::all(context).map_err(|f| f.or_hint(hint::daemon))?;
        users = held.into_iter().map(|held| held.user).filter(|user| user.realm.is_local()).collect();
    }
    let (mut seen, mut worst) = (Vec::new(), exit::OK);
    for user in users {
        match one(context, &user, arguments.dry_run) {
            Ok((view, code)) => {
                seen.push(view);
                worst = worst.max(code);
            }
            // Of many, one whose account is gone keeps nobody else waiting.
            Err(failure) if arguments.all && failure.exit() == exit::NOT_FOUND => {
                context.out.note(&format!("mfactl: {failure}"));
                worst = worst.max(exit::FAILED);
            }
            Err(failure) => return Err(failure),
        }
    }
    context.out.json(&json!({ "dry_run": arguments.dry_run, "users": seen }))?;
    Ok(worst)
}

/// Takes over what the directory has of one user. As JSON, and the exit code.
fn one(context: &mut Context, user: &UserId, dry_run: bool) -> Result<(Value, u8), Failure> {
    let reply = context.target.ask(&Request::LdapPull { user: user.clone(), dry_run });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, user, &context.now)))?;
    let Reply::Pulled(pulled) = reply else { return Err(context.target.unexpected()) };
    context.out.text(&told(user, &pulled, dry_run))?;
    let name = escape_for_log(&user.to_string());
    for (kind, why) in &pulled.unusable {
        let (kind, why) = (render::factor::kind(*kind), escape_for_log(why.as_str()));
        context.out.note(&format!("mfactl: a value for {kind} of {name} cannot be used: {why}"));
    }
    let short = pulled.changes.iter().any(|change| change.change == DirectoryChange::NoRoom);
    let code = if pulled.unusable.is_empty() && !short { exit::OK } else { exit::FAILED };
    Ok((view(user, &pulled), code))
}

fn told(user: &UserId, pulled: &Pulled, dry_run: bool) -> String {
    let name = escape_for_log(&user.to_string());
    let nobody =
        if pulled.found { "" } else { " (the directory has no entry of the name, or more than one)" };
    if pulled.changes.is_empty() {
        return format!("{name}: nothing to change{nobody}\n");
    }
    let line = |change: &PulledFactor| {
        let label = change.label.as_ref().map_or_else(String::new, |label| format!(" \"{label}\""));
        let kind = render::factor::kind(change.kind);
        format!("  {kind}{}: {}\n", escape_for_log(&label), meaning(change.change))
    };
    let lines: String = pulled.changes.iter().map(line).collect();
    let end = if dry_run { "  (nothing was changed)\n" } else { "" };
    format!("{name}:{nobody}\n{lines}{end}")
}

const fn meaning(change: DirectoryChange) -> &'static str {
    match change {
        DirectoryChange::Adopted => "taken over, counts from its next code on",
        DirectoryChange::Changed => "another number or address",
        DirectoryChange::Back => "in the directory again, switched on",
        DirectoryChange::Gone => "not in the directory any more, switched off",
        DirectoryChange::Dropped => "removed, for what takes its place",
        DirectoryChange::Withheld => "does not open: logins of the user are denied until it does",
        DirectoryChange::NoRoom => {
            "not taken over: the user holds as many factors as [enrollment] max_factors"
        }
    }
}

fn view(user: &UserId, pulled: &Pulled) -> Value {
    let change = |change: &PulledFactor| {
        json!({
            "change": change.change.word(),
            "kind": change.kind.word(),
            "label": change.label.as_ref().map(FactorLabel::as_str),
        })
    };
    let unusable =
        |(kind, why): &(FactorKind, ShownText)| json!({ "kind": kind.word(), "why": why.as_str() });
    json!({
        "user": user.name.as_str(),
        "realm": user.realm.as_str(),
        "found": pulled.found,
        "changes": pulled.changes.iter().map(change).collect::<Vec<_>>(),
        "unusable": pulled.unusable.iter().map(unusable).collect::<Vec<_>>(),
    })
}
