//! Asks the daemon to take one user after the other, each whole or not at all.

use std::collections::BTreeSet;

use mfa_proto::admin::{FactorKind, FactorState, RefusalCode, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::{FactorLabel, UserId};
use mfa_proto::text::escape_for_log;

use super::{
    super::{Context, hint, list},
    person::Person,
    progress::Bar,
    report::Report,
    skip::Skip,
};
use crate::client::{self, Wire};
use crate::failure::Failure;
use crate::terminal::Held;

/// How to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Change nothing.
    pub(super) dry_run: bool,
    /// Put new factors in the place of old ones.
    pub(super) replace: bool,
}

/// Imports `people`. What becomes of each is in the report; so is why the rest was not tried.
pub(super) fn all(context: &mut Context, people: Vec<Person>, manner: Manner, report: &mut Report) {
    let held = match holders(context, manner.replace) {
        Ok(held) => held,
        Err(failure) if manner.dry_run => {
            report.unasked = Some(failure.to_string());
            BTreeSet::new()
        }
        Err(failure) => return report.stop(failure, people),
    };
    let mut talk = Talk { held, wire: None, manner };
    let mut bar = Bar::new(context, people.len());
    let mut people = people.into_iter();
    // Ctrl-C ends it between two users, with a report.
    let signals = Held::new().ok();
    while let Some(person) = people.next() {
        if signals.as_ref().is_some_and(Held::came) {
            bar.clear(context);
            let state = "stopped: what is reported as imported stays imported".to_owned();
            let hint = Some("the same command goes on where it was".to_owned());
            let failure = Failure::Interrupted { state, hint };
            return report.stop(failure, std::iter::once(person).chain(people).collect());
        }
        bar.step(context, person.name.as_str());
        match talk.one(context, &person) {
            Ok(None) => report.imported.push(person),
            Ok(Some(skip)) => report.skipped.push(skip),
            Err(failure) => {
                bar.clear(context);
                report.in_doubt = matches!(failure, Failure::Conversation { .. } | Failure::HungUp { .. })
                    .then(|| person.name.clone());
                return report.stop(failure, std::iter::once(person).chain(people).collect());
            }
        }
    }
    bar.clear(context);
}

/// The talk with the daemon.
struct Talk {
    held: BTreeSet<UserId>,
    /// The connection of the request before.
    wire: Option<Wire>,
    manner: Manner,
}

impl Talk {
    /// One user: why it is skipped, if it is. An error concerns all that follow.
    fn one(&mut self, context: &Context, person: &Person) -> Result<Option<Skip>, Failure> {
        let request = match person.request(self.manner.replace) {
            Ok(request) => request,
            Err(skip) => return Ok(Some(skip)),
        };
        if self.held.contains(&person.id())
            && let Some(skip) = self.present(context, person)?
        {
            return Ok(Some(skip));
        }
        if self.manner.dry_run {
            return Ok(None);
        }
        match self.ask(context, &request) {
            Ok(Reply::Done { .. }) => Ok(None),
            Ok(_) => Err(context.target.unexpected()),
            Err(failure) => refused(context, person, failure).map(Some),
        }
    }

    /// Why `person`, who has factors, is skipped: one of them has the label of a new one.
    fn present(&mut self, context: &Context, person: &Person) -> Result<Option<Skip>, Failure> {
        let detail = match self.ask(context, &Request::Show { user: person.id() }) {
            Ok(Reply::User(detail)) => detail,
            Ok(_) => return Err(context.target.unexpected()),
            // Gone since, or tampered with: the daemon says so when it is asked to add.
            Err(Failure::Refused { .. }) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let proven = |label: &FactorLabel| {
            detail.factors.iter().any(|factor| factor.label == *label && factor.state != FactorState::Pending)
        };
        let codes = !person.recovery.is_empty()
            && detail.factors.iter().any(|factor| factor.kind == FactorKind::Recovery);
        let why = match person.factors.iter().find(|planned| proven(&planned.label)) {
            Some(planned) => {
                let label = escape_for_log(planned.label.as_str());
                format!("has a factor called \"{label}\" already")
            }
            None if codes => "has recovery codes already".to_owned(),
            None => return Ok(None),
        };
        let mut skip = person.skip(why);
        skip.hint = Some("to put the new ones in their place: --replace".to_owned());
        skip.present = true;
        Ok(Some(skip))
    }

    fn ask(&mut self, context: &Context, request: &Request) -> Result<Reply, Failure> {
        let open = match self.wire.take() {
            Some(open) => open,
            None => context.target.open(Protocol::Admin)?,
        };
        client::ask(self.wire.insert(open), request)
    }
}

/// A refusal of one user as what is skipped; what concerns all of them stays a failure.
fn refused(context: &Context, person: &Person, failure: Failure) -> Result<Skip, Failure> {
    let user = person.id();
    let failure = failure.or_hint(|code| hint::user(code, &user, &context.now));
    let Failure::Refused { refusal, hint } = &failure else { return Err(failure) };
    if matches!(refusal.code, RefusalCode::NotAllowed | RefusalCode::Unavailable) {
        return Err(failure);
    }
    let mut skip = person.skip(failure.to_string());
    skip.hint.clone_from(hint);
    Ok(skip)
}

/// Who has factors. Nobody is asked about when the new ones take the place of the old in any case.
fn holders(context: &Context, replace: bool) -> Result<BTreeSet<UserId>, Failure> {
    if replace {
        return Ok(BTreeSet::new());
    }
    let users = list::all(context).map_err(|failure| failure.or_hint(hint::daemon))?;
    Ok(users.into_iter().map(|summary| summary.user).collect())
}
