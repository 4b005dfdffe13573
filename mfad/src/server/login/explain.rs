//! A login thought through: the same look-ups and rules as a real one, and the prompt it would begin with.
//!
//! Refuses to do anything: no attempt, no row, nothing sent.

use mfa_proto::{
    admin::{
        Counting, Explain, ExplainClient, Explanation, FactorKind, KeyClaim, LockReason, LockState, Outlook,
    },
    front::Verify,
    login::{Dialogue, Start, Verdict},
    text::ShownText,
};

use super::{
    Login,
    first::Newcomer,
    subject::{Found, Subject},
};
use crate::{
    clock::UnixTime,
    config::{Right, WebClient},
    core::Core,
    policy::{Decision, Key, Kinds, Need, Source},
    server::{Peer, front::Behalf},
    session::{self, FirstStep, Issued, Reason, Settled, Step},
    store::{AccountView, lock_of},
};

/// Thinks a login through; an error is the reason why it cannot be.
pub(crate) async fn explain(core: &Core, asked: &Explain) -> Result<Explanation, Reason> {
    think_through(Login::imagined(core, asked), None).await
}

/// The same of a login that `client` would have verified by a challenge.
pub(crate) async fn explain_client(
    core: &Core,
    client: &WebClient,
    asked: &ExplainClient,
) -> Result<Explanation, Reason> {
    let behalf = Behalf { client: client.name.clone(), address: None, source: asked.source.clone() };
    let user = asked.user.clone();
    let verify = Verify { user, choose: None, only: None, answer: None, patience: 0 };
    let mut login = Login::of_front(core, core.settings(), (Peer { uid: 0 }, client), (&behalf, verify));
    login.began = asked.at.map_or(login.began, UnixTime);
    let mut explanation = think_through(login, Some(client)).await?;
    if !client.rights.include(Right::Verify) {
        explanation.outlook = Outlook::Denied;
        explanation.sees = None;
    }
    Ok(explanation)
}

async fn think_through(mut login: Login<'_>, client: Option<&WebClient>) -> Result<Explanation, Reason> {
    let found = login.find().await.map_err(|settled| settled.reason())?;
    let path = login.settings.policy().path(&login.request(Some(&found.membership)));
    let decided = login.decision(&found.membership);
    let mut explanation = Explanation {
        rule: None,
        outlook: Outlook::Denied,
        why: Vec::new(),
        factors: Vec::new(),
        needed: 0,
        remember: None,
        lock: LockState::Open,
        sees: None,
    };
    let mut why = vec![path.decided];
    why.extend(client.into_iter().flat_map(terms));
    match &decided {
        Ok(Decision::Require(need)) => {
            explanation.rule.clone_from(&need.rule);
            explanation.needed = need.count;
            explanation.remember = need.remember.map(|remember| remember.seconds);
            weigh(&mut explanation, &mut why, need, found.view.as_ref().ok());
        }
        Ok(Decision::Skip(grant)) => explanation.rule = Some(grant.rule().to_owned()),
        Ok(Decision::Deny { rule }) => explanation.rule = Some(rule.clone()),
        Err(_) => {}
    }
    if decided.is_ok() {
        login.foresee(&mut explanation, &mut why, found).await;
    }
    why.extend(path.before);
    explanation.why = why.iter().map(|sentence| ShownText::clean(sentence)).collect();
    Ok(explanation)
}

/// Which of the active factors count.
fn weigh(explanation: &mut Explanation, why: &mut Vec<String>, need: &Need, view: Option<&AccountView>) {
    let Some(view) = view else { return };
    explanation.lock = lock_of(view.gate, LockReason::Failures);
    let counting = |held: &crate::store::Held| Counting {
        factor: held.factor,
        kind: held.kind,
        label: held.label.clone(),
        counts: need.kinds.contains(held.kind),
        lock: lock_of(held.gate, LockReason::Failures),
    };
    explanation.factors = view.held.iter().map(counting).collect();
    let count = explanation.factors.iter().filter(|factor| factor.counts).count();
    if explanation.factors.iter().any(|factor| factor.kind == FactorKind::BreakGlass) {
        why.push("the emergency code lets in by itself, once".to_owned());
    } else if !view.held.is_empty() && count < usize::from(need.count) {
        why.push(format!(
            "{} of {} active factors count for this rule, and {} are needed",
            count,
            view.held.len(),
            need.count
        ));
    } else if need.kinds != Kinds::ALL && !view.held.is_empty() {
        why.push(format!("{count} of {} active factors count for this rule", view.held.len()));
    }
}

impl<'a> Login<'a> {
    /// The login that is asked about, as root's stack would begin it.
    fn imagined(core: &'a Core, asked: &Explain) -> Self {
        let start = Start {
            user: asked.user.name.clone(),
            service: asked.service.clone(),
            dialogue: Dialogue::Interactive,
            remote_host: asked.source.clone(),
            remote_user: None,
            terminal: None,
            ssh_auth_info: None,
        };
        let mut login = Self::new(core, core.settings(), &start, Peer { uid: 0 });
        login.context.user = asked.user.clone();
        login.origin.keys = asked.key.iter().map(key).collect();
        login.began = asked.at.map_or(login.began, UnixTime);
        login
    }

    /// Goes on as the login would, up to the first prompt.
    async fn foresee(&mut self, explanation: &mut Explanation, why: &mut Vec<String>, found: Found) {
        if self.origin.source == Source::Unknown {
            let said = self.front.is_none() || self.context.source.is_some();
            let source =
                if said { "the source is no address" } else { "the client does not say where the person is" };
            why.push(format!("{source}: it is in no network"));
        }
        if let Some(until) = self.source.and_then(|source| self.core.source_blocked_until(source)) {
            let wait = until.since(self.core.now()).max(1);
            why.push(format!("too many failures came from this source: it has to wait {wait} s"));
            return;
        }
        if self.settings.asks_directory().is_some() && self.context.user.realm.is_local() {
            why.push(
                "a login asks the directory first; what is known from before is what counts here".to_owned(),
            );
        }
        let enrolled_as = found.view.as_ref().ok().and_then(|view| view.uid);
        let subject = match self.subject(found) {
            Ok(subject) => subject,
            Err(settled) => {
                if settled.verdict() == Verdict::NotApplicable {
                    explanation.outlook = Outlook::Skipped;
                }
                why.extend(ended(&settled));
                return;
            }
        };
        if let Subject::Newcomer(newcomer) = subject {
            self.foresee_first(explanation, why, newcomer).await;
            return;
        }
        if self.recalled(&subject).await.is_some() {
            explanation.outlook = Outlook::Skipped;
            why.push("a success is remembered, so nothing is asked".to_owned());
            return;
        }
        // A login learns that from the store, once a code is judged.
        let orphaned = matches!(&subject, Subject::Enrolled { uid, .. } if uid.0 != enrolled_as);
        let reason =
            if orphaned { Reason::Orphaned } else { subject.explain(Settled::denied(Reason::Ok)).reason() };
        if reason == Reason::Ok {
            explanation.outlook = Outlook::Asked;
        }
        why.extend(fate(reason));
        explanation.sees = self.first_prompt(&subject);
    }

    /// The same for somebody without a factor, who may enroll the first one or go on without for a time.
    async fn foresee_first(&self, explanation: &mut Explanation, why: &mut Vec<String>, newcomer: Newcomer) {
        explanation.outlook = if newcomer.enrolls { Outlook::Enrolled } else { Outlook::Skipped };
        let grace = newcomer.grace.map(|left| self.in_words(left));
        if newcomer.enrolls {
            why.push("the user has no active factor: a first one can be enrolled on the way".to_owned());
            if let FirstStep::Ask(asking) =
                session::begin_first(self.first_opening(newcomer), self.core.now())
            {
                explanation.sees = Some(asking.text().clone());
                self.foresee_invitation(explanation, why, newcomer).await;
            } else {
                why.push("the key of the new factor is shown, as QR code and as text".to_owned());
            }
        } else {
            why.push("the user has no active factor, and goes on without for a time of grace".to_owned());
            explanation.sees = grace.as_deref().map(ShownText::clean);
        }
        why.extend(grace);
    }

    /// Who is asked for an invitation has to have one.
    async fn foresee_invitation(
        &self,
        explanation: &mut Explanation,
        why: &mut Vec<String>,
        newcomer: Newcomer,
    ) {
        // An error is one who is not known to wait for anything.
        let shown = self.core.store().show(self.context.user.clone()).await;
        if shown.is_ok_and(|detail| detail.invited_until.is_some_and(|until| until > self.began.0)) {
            return;
        }
        why.push("it takes an invitation, and there is none: mfactl invite".to_owned());
        if newcomer.grace.is_none() {
            explanation.outlook = Outlook::Denied;
        }
    }

    /// What would be shown first, taking it that whatever is sent unasked goes out.
    fn first_prompt(&self, subject: &Subject) -> Option<ShownText> {
        let now = self.core.now();
        let mut step = session::begin(self.opening(subject), now);
        if let Step::Issue(issuing, factor) = step {
            step = issuing.issued(factor, Issued::Out, now);
        }
        if let Step::Ask(asking) = step { Some(asking.text().clone()) } else { None }
    }
}

/// What is special about the logins of a client.
fn terms(client: &WebClient) -> impl Iterator<Item = String> {
    let (name, service) = (&client.name, &client.service);
    let right = match (client.rights.include(Right::Verify), client.rights.include(Right::TokenVerify)) {
        (true, _) => None,
        (false, true) => {
            Some(format!("client {name} may have signed tokens verified and nothing else (rights)"))
        }
        (false, false) => Some(format!("client {name} may have nobody verified: its rights lack \"verify\"")),
    };
    let password = if client.password_proven {
        "the password is proven by then"
    } else {
        "no password is proven by then: a rule that skips is a no, nothing is sent unasked, and wrong codes have a smaller budget"
    };
    right.into_iter().chain([format!("logins of client {name} are of service {service}; {password}")])
}

/// A key that is only talked about.
fn key(claim: &KeyClaim) -> Key {
    Key {
        key_type: claim.key_type.as_str().to_owned(),
        fingerprint: claim.fingerprint.as_ref().map_or_else(String::new, |print| print.as_str().to_owned()),
    }
}

/// Why a login would end before it asks; nothing where a rule has said so already.
fn ended(settled: &Settled) -> Option<String> {
    let reason = settled.reason();
    let said = ENDED.iter().find(|(known, _)| *known == reason).map(|(_, said)| (*said).to_owned());
    (reason != Reason::Policy)
        .then(|| said.unwrap_or_else(|| format!("it would be refused: {}", reason.word())))
}

const ENDED: [(Reason, &str); 3] = [
    (Reason::Tampered, "the stored rows of this user fail their integrity check: run `mfactl show`"),
    (Reason::Store, "the store cannot be read: run `mfactl status`"),
    (Reason::UnknownUser, "this host has no such account"),
];

/// What stands behind the name, where that is not simply someone with factors.
fn fate(reason: Reason) -> Option<String> {
    let said = FATES.iter().find(|(known, _)| *known == reason).map(|(_, said)| (*said).to_owned());
    (reason != Reason::Ok)
        .then(|| said.unwrap_or_else(|| format!("whatever is answered is refused: {}", reason.word())))
}

const FATES: [(Reason, &str); 6] = [
    (Reason::NotEnoughFactors, "that is too few: it is asked like any other, and refused"),
    (Reason::UnknownUser, "this host has no such account: it is asked like any other, and refused"),
    (Reason::NotEnrolled, "the user has no active factor: it is asked like any other, and refused"),
    (
        Reason::Orphaned,
        "the account has another uid than at enrollment: its factors count for nobody until `mfactl reassign` or `mfactl remove`",
    ),
    (
        Reason::Withheld,
        "what the directory kept for the user is gone from there, or does not open: it is asked like any other, and refused",
    ),
    (Reason::Exhausted, "the factors failed too often: no code counts until a factor is enrolled again"),
];
