//! What libpam says of a password. Refuses to take any word of it for a yes but success of both phases, for
//! the very account that was asked about.

use std::{cell::Cell, ffi::OsString};

use mfa_proto::{
    password::{Check, Reply, Request},
    secret::SecretText,
};
use nix::unistd::{Uid, User, setresuid};
use nonstick::{
    AuthnFlags, AuthtokFlags, ConversationAdapter, ErrorCode, LibPamTransaction, PamShared as _, Transaction,
    TransactionBuilder, items::Items as _,
};
use tracing::warn;

/// Prompts that are answered in one conversation: more than any stack has that asks for a password.
const MOST_PROMPTS: u32 = 8;
/// What modules say when the password is not the one, or the account not to be used.
const NO: [ErrorCode; 8] = [
    ErrorCode::AuthenticationError,
    ErrorCode::UserUnknown,
    ErrorCode::MaxTries,
    ErrorCode::AccountExpired,
    ErrorCode::PermissionDenied,
    ErrorCode::AuthTokExpired,
    ErrorCode::CredentialsExpired,
    ErrorCode::NewAuthTokRequired,
];

/// Asks PAM.
pub(crate) fn prove(service: &str, request: &Request) -> Reply {
    let known = authenticate(service, request.check());
    match (request, known) {
        (Request::Check(_), reply)
        | (Request::Change { .. }, reply @ (Reply::No | Reply::Busy | Reply::Unavailable | Reply::Refused)) => {
            reply
        }
        (Request::Change { check, new }, Reply::Yes | Reply::MustChange) => change(service, check, new),
    }
}

/// Whether it is the account's password, and the account may be used.
fn authenticate(service: &str, check: &Check) -> Reply {
    let words = Words { old: check.password.again(), new: None, prompts: Cell::new(0) };
    let mut transaction = match start(service, check, words) {
        Ok(transaction) => transaction,
        Err(error) => return failed("cannot be started", error),
    };
    let flags = AuthnFlags::SILENT | AuthnFlags::DISALLOW_NULL_AUTHTOK;
    if let Err(error) = transaction.authenticate(flags) {
        return judged("authentication", error);
    }
    let reply = match transaction.account_management(flags) {
        Ok(()) => Reply::Yes,
        Err(ErrorCode::NewAuthTokRequired) => Reply::MustChange,
        Err(error) => return judged("the account phase", error),
    };
    // A module may have changed who it is about.
    match transaction.items().user() {
        Ok(Some(user)) if user == check.user.as_str() => reply,
        Ok(_) => Reply::No,
        Err(error) => failed("does not say whom it is about", error),
    }
}

/// Changes it as passwd(1) does: as root by right, and the account itself by the real uid, so that modules ask
/// for the old password and apply their rules to the new one.
fn change(service: &str, check: &Check, new: &SecretText) -> Reply {
    let Ok(Some(user)) = User::from_name(check.user.as_str()) else { return Reply::No };
    if let Err(error) = setresuid(user.uid, Uid::from_raw(0), Uid::from_raw(0)) {
        warn!("a password cannot be changed: the real uid cannot be set: {error}; it takes CAP_SETUID");
        return Reply::Unavailable;
    }
    let words = Words { old: check.password.again(), new: Some(new.again()), prompts: Cell::new(0) };
    let changed = start(service, check, words)
        .and_then(|mut transaction| transaction.change_authtok(AuthtokFlags::SILENT));
    match changed {
        Ok(()) => Reply::Yes,
        // What most modules say of a new password that breaks their rules.
        Err(ErrorCode::AuthTokError | ErrorCode::TryAgain) => Reply::No,
        Err(error) => judged("changing it", error),
    }
}

fn start(service: &str, check: &Check, words: Words) -> Result<Conversing, ErrorCode> {
    let builder = TransactionBuilder::new_with_service(service).username(check.user.as_str());
    builder.build(words.into_conversation())
}

type Conversing = LibPamTransaction<nonstick::conv::Demux<Words>>;

fn judged(phase: &str, error: ErrorCode) -> Reply {
    if NO.contains(&error) { Reply::No } else { failed(phase, error) }
}

fn failed(what: &str, error: ErrorCode) -> Reply {
    warn!("PAM: {what}: {error}; look at the service file and at what its modules log");
    Reply::Unavailable
}

/// What the modules are answered.
struct Words {
    old: SecretText,
    new: Option<SecretText>,
    prompts: Cell<u32>,
}

impl ConversationAdapter for Words {
    /// A question whose answer would be seen is not for a password.
    fn prompt(&self, _: impl AsRef<std::ffi::OsStr>) -> nonstick::Result<OsString> {
        Err(ErrorCode::ConversationError)
    }

    fn masked_prompt(&self, request: impl AsRef<std::ffi::OsStr>) -> nonstick::Result<OsString> {
        let asked = self.prompts.replace(self.prompts.get().saturating_add(1));
        if asked >= MOST_PROMPTS {
            return Err(ErrorCode::ConversationError);
        }
        // Without a locale, modules ask in English.
        let wants_new = request.as_ref().to_string_lossy().to_lowercase().contains("new");
        let answer = if wants_new { self.new.as_ref() } else { Some(&self.old) };
        answer.map(|text| text.expose().into()).ok_or(ErrorCode::ConversationError)
    }

    fn error_msg(&self, _: impl AsRef<std::ffi::OsStr>) {}

    fn info_msg(&self, _: impl AsRef<std::ffi::OsStr>) {}
}
