//! What a login under way remembers: what is held, what was chosen, what was sent, what is left to try.
//!
//! Refuses to end on its own but when nothing is left to try.

use mfa_proto::{
    admin::{FactorId, FactorKind},
    answer::AnswerShape,
    login::Verdict,
};

use super::{
    Asking, Informing, Issuing, Opening, PromptSettings, Reason, Settled, Step, Wording,
    asking::After,
    holding::{Choosing, Holding, Way, choose},
    prompt::joined,
};
use crate::{
    clock::UnixTime,
    store::{Outcome, Proof},
};

/// The most prompts of one login, the last included that only says why it ends. The module takes 16.
pub const MOST_ROUNDS: u32 = 12;

/// What has happened so far.
#[derive(Debug)]
pub(super) struct Dialogue {
    pub(super) settings: PromptSettings,
    pub(super) held: Vec<Held>,
    chosen: Option<FactorId>,
    tokens: bool,
    /// What is sent without being asked for, where anything is.
    preferred: Option<String>,
    /// The password is proven.
    password: bool,
    /// How many different factors have to be proven.
    needed: u8,
    /// Those that were.
    proofs: Vec<Proof>,
    /// To be said at the next prompt.
    news: Option<String>,
    attempts_left: u32,
    rounds_left: u32,
    /// Attempts of this login that the store counted as failed.
    pub(super) failed: u32,
}

/// A holding, and what was done with it in this login.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) holding: Holding,
    /// When a code for it last went out, or its service was told to begin.
    pub(super) out: Option<UnixTime>,
}

impl Dialogue {
    pub(super) fn new(opening: Opening) -> Self {
        let counts = |holding: &Holding| opening.kinds.contains(holding.kind);
        let mut held: Vec<Holding> = opening.held.into_iter().filter(counts).collect();
        if held.is_empty() {
            held.extend(Holding::of_nobody());
        }
        Self {
            attempts_left: opening.settings.attempts.max(1),
            settings: opening.settings,
            held: held.into_iter().map(|holding| Held { holding, out: None }).collect(),
            chosen: None,
            tokens: opening.tokens && opening.kinds.contains(FactorKind::Token),
            preferred: opening.preferred,
            password: opening.proven,
            needed: opening.needed.max(1),
            proofs: Vec::new(),
            news: None,
            // One is kept for saying why it ends.
            rounds_left: MOST_ROUNDS.saturating_sub(1),
            failed: 0,
        }
    }

    pub(super) fn holdings(&self) -> Vec<&Holding> {
        self.held.iter().map(|held| &held.holding).collect()
    }

    pub(super) fn chosen(&self) -> Option<&Held> {
        let chosen = self.chosen?;
        self.held.iter().find(|held| held.holding.factor == chosen)
    }

    /// Notes that a code for `factor` went out.
    pub(super) fn note_out(&mut self, factor: FactorId, now: UnixTime) {
        for held in self.held.iter_mut().filter(|held| held.holding.factor == factor) {
            held.out = Some(now);
        }
    }

    /// Notes whether an attempt failed, as the store counts.
    pub(super) fn note_failure(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Wrong { .. } | Outcome::Used { .. } | Outcome::Unreachable { .. }) {
            self.failed = self.failed.saturating_add(1);
        }
    }

    /// What may be answered now.
    pub(super) fn shape(&self) -> AnswerShape {
        let local = self.held.iter().filter(|held| held.is_judged_here()).map(|held| held.holding.form);
        let outside = self.outside().map(|held| held.holding.form);
        let mut shape = local.chain(outside).fold(AnswerShape::NONE, AnswerShape::or);
        if self.tokens {
            shape = shape.or(AnswerShape::TOKEN);
        }
        if self.has_words() {
            shape = shape.or(AnswerShape::WORD);
        }
        if self.chosen().is_some_and(|held| held.holding.must_be_chosen()) {
            shape = shape.or(AnswerShape::EMPTY);
        }
        shape
    }

    /// Whether there is anything to choose. Whoever holds one code of their own sees what a name without
    /// a factor sees.
    fn has_words(&self) -> bool {
        self.held.len() > 1 || self.held.iter().any(|held| held.holding.way != Way::Own)
    }

    /// Whether an answer of this form is for the store.
    pub(super) fn judges_here(&self, form: AnswerShape) -> bool {
        self.held.iter().any(|held| held.is_judged_here() && held.holding.form.includes(form))
    }

    /// The outside service that answers go to: the chosen one, else the only one that can be asked.
    pub(super) fn outside(&self) -> Option<&Held> {
        let ready = |held: &&Held| match held.holding.way {
            Way::Own | Way::Sent => false,
            Way::Outside { begins } => held.out.is_some() || !begins,
        };
        if let Some(chosen) = self.chosen().filter(ready) {
            return Some(chosen);
        }
        let mut all = self.held.iter().filter(ready);
        all.next().filter(|_| all.next().is_none())
    }

    /// Whether the outside service was asked for by name, so that it comes before what is judged here.
    pub(super) fn outside_is_chosen(&self) -> bool {
        let chosen = self.chosen().map(|held| held.holding.factor);
        chosen.is_some() && self.outside().map(|held| held.holding.factor) == chosen
    }

    /// Whether a holding can be answered though nothing was chosen.
    pub(super) fn answerable_unchosen(&self, holding: &Holding) -> bool {
        match holding.way {
            Way::Own => true,
            Way::Sent => false,
            Way::Outside { .. } => self.outside().is_some_and(|held| held.holding.factor == holding.factor),
        }
    }

    /// What is sent without being asked for: what was preferred by the configuration, else the only thing
    /// held beside codes for when all else is lost.
    fn sent_unasked(&self) -> Option<FactorId> {
        let holdings = self.holdings();
        let preferred = self.preferred.as_deref().and_then(|word| match choose(&holdings, word) {
            Choosing::One(one) => Some(one),
            Choosing::Many(_) | Choosing::Nothing => None,
        });
        let mut usual = holdings.iter().copied().filter(|holding| !holding.is_last_resort());
        let only = usual.next().filter(|_| usual.next().is_none());
        preferred.or(only).filter(|holding| holding.must_be_chosen()).map(|holding| holding.factor)
    }

    /// Asks, or has sent what is sent without being asked for.
    pub(super) fn go_on(self) -> Step {
        match self.sent_unasked().filter(|_| self.password) {
            Some(factor) => self.issue(factor),
            None => self.ask(None),
        }
    }

    /// A factor was proven: yes when it was the last that is needed, else on to the next. Only what is left
    /// counts from here on.
    pub(super) fn proven(mut self, proof: Proof, now: UnixTime) -> Step {
        let spent: Vec<FactorId> =
            proof.twins().unwrap_or_default().iter().copied().chain([proof.factor()]).collect();
        // An emergency code is enough by itself: who needs one cannot have the others.
        let emergency = proof.emergency().is_some();
        self.proofs.push(proof);
        if emergency || self.proofs.len() >= usize::from(self.needed) {
            return self.accept(now);
        }
        self.held.retain(|held| !spent.contains(&held.holding.factor));
        self.chosen = None;
        let missing = usize::from(self.needed).saturating_sub(self.proofs.len());
        // A factor that a signed token makes is not held yet.
        if self.held.len() < missing && !self.tokens {
            return Step::Settle(Settled::denied(Reason::NotEnoughFactors));
        }
        self.news = Some(Wording::one_more(self.proofs.len(), &self.holdings()));
        self.go_on()
    }

    /// Whoever used a recovery code is told how many are left, whoever was let in by an emergency code what to
    /// do, and whoever was attacked meanwhile that they were, before the end.
    fn accept(self, now: UnixTime) -> Step {
        let told = Wording::farewell(&self.proofs, self.failed, now).filter(|_| !self.settings.conceal);
        let settled = Settled::accepted(self.proofs, self.needed);
        match told {
            Some(text) if settled.verdict() == Verdict::Accept => Step::Inform(Informing::new(settled), text),
            Some(_) | None => Step::Settle(settled),
        }
    }

    /// The factors that were proven so far.
    pub(super) fn proven_so_far(&self) -> Vec<FactorId> {
        self.proofs.iter().map(Proof::factor).collect()
    }

    /// Has a code sent for `factor`, or its service begin.
    pub(super) fn issue(mut self, factor: FactorId) -> Step {
        self.chosen = Some(factor);
        Step::Issue(Issuing::new(self), factor)
    }

    /// Takes `factor` as the one that is meant from here on.
    pub(super) fn choose(mut self, factor: FactorId) -> Step {
        let sent = self.held.iter().any(|h| h.holding.factor == factor && h.holding.must_be_chosen());
        if sent {
            return self.issue(factor);
        }
        self.chosen = Some(factor);
        self.ask(None)
    }

    /// Asks, which costs a round.
    pub(super) fn ask(mut self, why: Option<&str>) -> Step {
        let said: Vec<String> = self.news.take().into_iter().chain(why.map(str::to_owned)).collect();
        let text = self.prompt(Some(&said.join(" ")));
        self.ask_with(text)
    }

    /// Shows all there is to choose from.
    pub(super) fn ask_with_list(self) -> Step {
        let text = self.list();
        self.ask_with(text)
    }

    fn ask_with(mut self, text: mfa_proto::text::ShownText) -> Step {
        let Some(left) = self.rounds_left.checked_sub(1) else {
            return Step::Settle(Settled::denied(Reason::Malformed));
        };
        self.rounds_left = left;
        let shape = self.shape();
        Step::Ask(Asking { dialogue: self, text, shape, after: After::Judge })
    }

    /// Counts an attempt that failed for `reason`, and asks again with the reason in the prompt, because
    /// other messages come late in older sshd.
    pub(super) fn ask_again(self, why: &str, reason: Reason) -> Step {
        self.ask_again_or(why, Settled::denied(reason))
    }

    /// The same; when it was the last attempt, the login ends so.
    pub(super) fn ask_again_or(mut self, why: &str, last: Settled) -> Step {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        if self.attempts_left == 0 { Step::Settle(last) } else { self.ask(Some(why)) }
    }

    /// Ends the login; says why first, in a prompt that wants no code, unless all is concealed.
    pub(super) fn end(self, settled: Settled, why: &str) -> Step {
        if self.settings.conceal {
            return Step::Settle(settled);
        }
        let text = joined(why, "Press Enter: ");
        Step::Ask(Asking {
            dialogue: self,
            text,
            shape: AnswerShape::ACKNOWLEDGE,
            after: After::Settle(settled),
        })
    }
}

impl Held {
    /// Whether the store judges answers to it now.
    fn is_judged_here(&self) -> bool {
        match self.holding.way {
            Way::Own => true,
            Way::Sent => self.out.is_some(),
            Way::Outside { .. } => false,
        }
    }
}
