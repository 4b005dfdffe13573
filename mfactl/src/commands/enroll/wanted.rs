//! What is to be enrolled: the command line, and what is read or asked for beside it.

use std::os::fd::AsFd as _;

use mfa_proto::admin::{HotpParams, NewParams, RestParams, SentParams, TokenParams, TotpParams};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;

use super::super::{Context, secret, user};
use crate::cli::{EnrollArgs, EnrollKind, OathArgs, OptionalUser, SentArgs, Shown};
use crate::failure::Failure;
use crate::terminal::{self, Asked};

/// What is to be enrolled.
pub(super) struct Wanted {
    /// For whom.
    pub(super) whom: UserId,
    /// Options of all kinds.
    pub(super) common: EnrollArgs,
    /// Kind and parameters.
    pub(super) params: NewParams,
    /// The key, when it was brought along.
    pub(super) secret: Option<SecretText>,
    /// Active at once.
    pub(super) activate: bool,
    /// What is shown of the key, where there is one to show.
    pub(super) shown: Option<Shown>,
}

/// Puts together what the command line says, and reads what it leaves to standard input.
pub(super) fn gather(context: &mut Context, kind: EnrollKind) -> Result<Wanted, Failure> {
    match kind {
        EnrollKind::Totp { common, oath, period } => {
            let (algorithm, digits) = (oath.algorithm.into(), oath.digits);
            of_key(context, common, oath, NewParams::Totp(TotpParams { algorithm, digits, period }))
        }
        EnrollKind::Hotp { common, oath, counter } => {
            let (algorithm, digits) = (oath.algorithm.into(), oath.digits);
            of_key(context, common, oath, NewParams::Hotp(HotpParams { algorithm, digits, counter }))
        }
        EnrollKind::Sms { common, sent } => of_address(context, common, &SMS, &sent, NewParams::Sms),
        EnrollKind::Mail { common, sent } => of_address(context, common, &MAIL, &sent, NewParams::Mail),
        EnrollKind::Rest { common, service, remote_user, no_confirm } => {
            let params = NewParams::Rest(RestParams { service, remote_user });
            Ok(Wanted { activate: no_confirm, ..plain(context, common, params)? })
        }
        EnrollKind::Token { common, domain, secret_stdin } => {
            let mut wanted =
                plain(context, common, NewParams::Token(TokenParams { domain, signing_secret: None }))?;
            if secret_stdin {
                wanted.secret = Some(key(context, "seed (base32)")?);
                let signing_secret = Some(terminal::stdin_line(&mut context.out, "signing secret")?);
                wanted.params = NewParams::Token(TokenParams { domain: None, signing_secret });
            }
            Ok(wanted)
        }
    }
}

fn plain(context: &mut Context, common: EnrollArgs, params: NewParams) -> Result<Wanted, Failure> {
    let whom = user::resolve(context, &common.user)?;
    Ok(Wanted { whom, common, params, secret: None, activate: false, shown: None })
}

fn of_key(
    context: &mut Context,
    common: EnrollArgs,
    oath: OathArgs,
    params: NewParams,
) -> Result<Wanted, Failure> {
    let wanted = plain(context, common, params)?;
    let secret = if oath.secret_stdin { Some(key(context, "key (base32)")?) } else { None };
    Ok(Wanted { secret, activate: oath.no_confirm, shown: Some(oath.shown), ..wanted })
}

fn key(context: &mut Context, what: &str) -> Result<SecretText, Failure> {
    secret::tidy(&terminal::stdin_line(&mut context.out, what)?)
}

/// What kind of address is asked for, and what looks like one.
struct AddressKind {
    what: &'static str,
    prompt: &'static str,
    looks_like: fn(&str) -> bool,
}

const SMS: AddressKind = AddressKind {
    what: "telephone number",
    prompt: "Telephone number with country code (+49 …): ",
    looks_like: |name| name.starts_with('+') || name.bytes().filter(u8::is_ascii_digit).count() >= 6,
};

const MAIL: AddressKind =
    AddressKind { what: "mail address", prompt: "Mail address: ", looks_like: |name| name.contains('@') };

fn of_address(
    context: &mut Context,
    common: EnrollArgs,
    kind: &AddressKind,
    sent: &SentArgs,
    make: fn(SentParams) -> NewParams,
) -> Result<Wanted, Failure> {
    not_an_address(&common.user, kind)?;
    let digits = sent.digits;
    let whom = user::resolve(context, &common.user)?;
    let address = address(context, kind, sent.address_stdin)?;
    let params = make(SentParams { address, digits });
    Ok(Wanted { whom, common, params, secret: None, activate: false, shown: None })
}

/// A single argument is the user; an address in its place would be looked up, and logged, as an account.
fn not_an_address(given: &OptionalUser, kind: &AddressKind) -> Result<(), Failure> {
    match &given.user {
        Some(name) if (kind.looks_like)(name.as_str()) && !user::exists(name) => {
            Err(Failure::usage(format!(
                "the argument is the USER, and this looks like a {}: leave it out, it is asked for; for scripts \
             there is --address-stdin",
                kind.what
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn address(context: &mut Context, kind: &AddressKind, from_stdin: bool) -> Result<SecretText, Failure> {
    if from_stdin && !nix::unistd::isatty(std::io::stdin().as_fd()).unwrap_or(false) {
        let given = terminal::stdin_line(&mut context.out, kind.what)?;
        return terminal::secret(&mut zeroize::Zeroizing::new(given.expose().trim().to_owned()));
    }
    if !terminal::interactive() {
        let what = kind.what;
        return Err(Failure::usage(format!(
            "nobody can be asked for the {what}: give it by --address-stdin"
        )));
    }
    loop {
        // Seen while it is typed: a typing error sends the code to somebody else.
        let Asked::Answer(typed) = terminal::ask(&mut context.out, kind.prompt, true)? else {
            return Err(Failure::Interrupted { state: "nothing was sent".to_owned(), hint: None });
        };
        if !typed.trim().is_empty() {
            return terminal::secret(&mut zeroize::Zeroizing::new(typed.trim().to_owned()));
        }
    }
}
