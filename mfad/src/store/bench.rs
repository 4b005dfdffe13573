//! An account with its factors while an answer is judged: what it could be of, what it is, what it costs.
//!
//! Refuses to decide in which order, and to write the trail: [`super::attempt`] does.

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer::{Answer, OtpCode},
    name::UserId,
};

use super::{
    StoreError,
    account::Account,
    attempt::{Channel, Outcome},
    breakglass::{self, is_emergency},
    challenge::{self, Challenge, ENROLLMENT},
    counting::{self, Counting},
    factor_row::{self, Factor},
    notable,
    pin::Typed,
    proof::{self, Failed, Proof, Worth},
    recovery, remembered,
    tx::{Read, Tx},
    view::{account_gate, emergency_gate, most_lenient},
};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::{Check, Moving, Params, Trial},
    limits::Gate,
};

/// An account, its factors, and the codes that were sent for them.
pub(super) struct Bench<'s> {
    pub(super) account: Account,
    pub(super) factors: Vec<Factor>,
    codes: Vec<Challenge>,
    /// Ids of factors that do not count here.
    barred: Vec<i64>,
    /// How what is proven here counts.
    counted: Counted,
    /// Factors whose code was right, but not what was typed before it.
    overshadowed: Vec<(usize, Moving)>,
    pub(super) session: &'s str,
    now: UnixTime,
}

/// How a success counts.
#[derive(Clone, Copy, Debug)]
struct Counted {
    /// It is the last that is needed.
    last: bool,
    /// Others are needed with it, so that it matters which of them it would count for as well.
    of_several: bool,
}

/// Whose failure it is that is charged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blame<'a> {
    pub(super) context: &'a Context,
    pub(super) channel: Channel,
}

/// Indexes of judged factors with what the answer turned out to be.
pub(super) type Checks = Vec<(usize, Check)>;

impl<'s> Bench<'s> {
    /// Loads all that answers of `session` are judged by. Users without factors that codes are sent for cost
    /// no more than the two look-ups.
    pub(super) fn of(read: &Read<'_>, account: Account, session: &'s str) -> Result<Self, StoreError> {
        let factors = factor_row::load_all(read, &account)?;
        let mut codes = Vec::new();
        for factor in factors.iter().filter(|factor| factor.keeps_challenges()) {
            codes.extend(challenge::of(read, factor)?.into_iter().filter(Challenge::is_code));
        }
        let counted = Counted { last: true, of_several: false };
        let (barred, overshadowed, now) = (Vec::new(), Vec::new(), read.now);
        Ok(Self { account, factors, codes, barred, counted, overshadowed, session, now })
    }

    /// The same, where not every factor counts.
    pub(super) fn counting(
        read: &Read<'_>,
        account: Account,
        session: &'s str,
        counting: &Counting,
    ) -> Result<Self, StoreError> {
        let bench = Self::of(read, account, session)?;
        let barred = counting.barred(read, &bench.account, &bench.factors)?;
        let counted = Counted { last: counting.is_last(), of_several: counting.needed > 1 };
        Ok(Self { barred, counted, ..bench })
    }

    /// Whether a factor counts here.
    pub(super) fn counts(&self, factor: &Factor) -> bool {
        !self.barred.contains(&factor.id)
    }

    /// Whether a factor is in this state, its time not over.
    pub(super) fn holds(&self, state: FactorState) -> bool {
        self.factors.iter().any(|factor| factor.is(state, self.now))
    }

    /// The same of a factor that counts.
    pub(super) fn may_be_of(&self, state: FactorState) -> bool {
        self.factors.iter().any(|factor| factor.is(state, self.now) && self.counts(factor))
    }

    /// The live code of a factor, if it was sent for this session.
    fn code_of(&self, factor: &Factor) -> Option<&Challenge> {
        self.codes.iter().find(|code| code.factor_id == factor.id && code.is_live(self.session, self.now))
    }

    /// Whether an answer has the form of those that a factor takes.
    fn takes(&self, factor: &Factor, answer: &Answer) -> bool {
        self.counts(factor) && self.has_form(factor, answer)
    }

    fn has_form(&self, factor: &Factor, answer: &Answer) -> bool {
        match factor.params {
            Params::Totp(_) | Params::Hotp { .. } | Params::Sms { .. } | Params::Mail { .. } => {
                has_digits(answer, factor.params.digits())
            }
            Params::Recovery { digits: 8 } => {
                matches!(answer, Answer::Code(code) if code.digits() == 8)
            }
            Params::Recovery { digits: 0 } => {
                matches!(answer, Answer::Recovery(code) if !code.is_emergency())
            }
            Params::Recovery { .. } => false,
            Params::Token => matches!(answer, Answer::Token(_)),
            // It lets in, and changes nothing: what it is good for ends with its time.
            Params::BreakGlass { .. } => {
                is_emergency(answer) && self.session != ENROLLMENT && !factor.is_void(self.now)
            }
            // An outside service has a form of its own, which is known of the code it was to deliver.
            Params::Rest => {
                matches!(answer, Answer::Code(_) | Answer::Text(_))
                    && self.code_of(factor).is_some_and(|code| code.takes(answer))
            }
        }
    }

    /// A clock that was set back begins waits anew; that has to be remembered, or it would do so at each
    /// attempt.
    pub(super) fn begin_waits_anew(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut unproven = self.account.unproven;
        let _ = unproven.gate(tx.now);
        if unproven != self.account.unproven {
            self.account.unproven = unproven;
            self.account.update(tx)?;
        }
        for factor in self.factors.iter_mut().filter(|f| f.state == FactorState::Active) {
            let mut counter = factor.counter;
            let _ = counter.gate(tx.now);
            if counter != factor.counter {
                factor.counter = counter;
                factor.update(tx)?;
            }
        }
        Ok(())
    }

    /// How the limits of the factors that such an answer could be of stand, and the account's.
    pub(super) fn gate(&self, answer: &Answer, channel: Channel) -> Gate {
        let counts = |f: &&Factor| matches!(f.state, FactorState::Active | FactorState::Exhausted);
        let takers = || self.factors.iter().filter(counts).filter(|f| self.takes(f, answer));
        let account = if is_emergency(answer) && takers().next().is_some() {
            emergency_gate(&self.account, channel, self.now)
        } else {
            account_gate(&self.account, channel, self.now)
        };
        account.and(most_lenient(&mut takers(), self.now))
    }

    /// Judges the answer for every active factor that is open and takes such answers; no early exit.
    pub(super) fn check(&mut self, tx: &Tx<'_>, typed: &Typed) -> Result<Checks, StoreError> {
        let (mut checks, mut overshadowed) = (Vec::new(), Vec::new());
        for (index, factor) in self.factors.iter().enumerate().filter(|(_, f)| self.is_open(f)) {
            if !self.takes(factor, &typed.answer) {
                continue;
            }
            let Some((check, fits)) = self.check_typed(tx, factor, typed)? else { continue };
            if let Check::Match(moved) = check
                && !fits
            {
                overshadowed.push((index, moved));
            }
            checks.push((index, if fits { check } else { check.denied() }));
        }
        self.overshadowed = overshadowed;
        Ok(checks)
    }

    /// What the code of an answer is, and whether what was typed before it is right. Both are looked at, whatever
    /// the other is, so that neither can be told from the time it takes.
    fn check_typed(
        &self,
        tx: &Tx<'_>,
        factor: &Factor,
        typed: &Typed,
    ) -> Result<Option<(Check, bool)>, StoreError> {
        if !factor.params.takes_pin() {
            return Ok(self.check_one(tx, factor, &typed.answer)?.map(|check| (check, true)));
        }
        let Some((code, fits)) = typed.taken_apart(&tx.read(), &self.account, factor)? else {
            return Ok(None);
        };
        let check = self.check_one(tx, factor, &Answer::Code(code))?;
        // That a code was used before would tell that the PIN before it is right.
        let check = check.map(|check| if factor.has_pin() { check.used_is_wrong() } else { check });
        Ok(check.map(|check| (check, fits)))
    }

    pub(super) fn is_open(&self, factor: &Factor) -> bool {
        factor.is(FactorState::Active, self.now)
            && self.counts(factor)
            && factor.counter.clone().gate(self.now).is_open()
    }

    /// Judges the answer for one factor, whatever its state; `None` when there is no code it could be. Signed
    /// tokens are judged in a place of their own ([`super::token`]).
    pub(super) fn check_one(
        &self,
        tx: &Tx<'_>,
        factor: &Factor,
        answer: &Answer,
    ) -> Result<Option<Check>, StoreError> {
        match factor.params {
            Params::Totp(_) | Params::Hotp { .. } => {
                let Answer::Code(code) = answer else { return Ok(None) };
                self.check_seeded(tx, factor, code).map(Some)
            }
            Params::Recovery { .. } if matches!(answer, Answer::Code(_) | Answer::Recovery(_)) => {
                recovery::check(&tx.read(), &self.account, factor, answer).map(Some)
            }
            Params::BreakGlass { .. } if is_emergency(answer) => {
                breakglass::check(&tx.read(), &self.account, factor, answer).map(Some)
            }
            Params::Sms { .. } | Params::Mail { .. } | Params::Rest
                if matches!(answer, Answer::Code(_) | Answer::Text(_)) =>
            {
                let Some(code) = self.code_of(factor) else { return Ok(None) };
                let right = code.is(tx, answer)?;
                Ok(Some(if right { Check::Match(factor.moved_on()) } else { Check::Wrong }))
            }
            Params::Recovery { .. }
            | Params::Sms { .. }
            | Params::Mail { .. }
            | Params::Rest
            | Params::Token
            | Params::BreakGlass { .. } => Ok(None),
        }
    }

    fn check_seeded(&self, tx: &Tx<'_>, factor: &Factor, code: &OtpCode) -> Result<Check, StoreError> {
        let seed = factor.open_seed(&tx.read(), &self.account)?;
        let trial = Trial { seed: &seed, moving: factor.moving, code, now: tx.now, rules: tx.settings.rules };
        Ok(factor.params.check(&trial))
    }

    /// Uses the answer up for every factor it was right for: two factors with one seed share their codes.
    pub(super) fn accept(
        &mut self,
        tx: &Tx<'_>,
        user: &UserId,
        checks: &Checks,
    ) -> Result<Outcome, StoreError> {
        let matched: Vec<(usize, Moving)> = checks
            .iter()
            .filter_map(
                |(index, check)| if let Check::Match(moved) = check { Some((*index, *moved)) } else { None },
            )
            .collect();
        let mut proof = None;
        // A code that lets in is used up for whatever else shows the same.
        for (index, moved) in std::mem::take(&mut self.overshadowed) {
            let factor = self.factors.get_mut(index).ok_or(StoreError::Internal)?;
            if moved.position > factor.moving.position && !factor.keeps_challenges() {
                factor.moving = moved;
                factor.update(tx)?;
            }
        }
        for (index, moved) in matched {
            proof.get_or_insert(self.consume(tx, user, index, moved)?);
        }
        let failed = self.forgive(tx)?;
        proof.map(|proof| Outcome::Accepted(proof.after(failed))).ok_or(StoreError::Internal)
    }

    /// Moves one factor past a right answer.
    pub(super) fn consume(
        &mut self,
        tx: &Tx<'_>,
        user: &UserId,
        index: usize,
        moved: Moving,
    ) -> Result<Proof, StoreError> {
        let moved = self.without_code(tx, index, moved)?;
        let twins = match self.factors.get(index).filter(|_| self.counted.of_several) {
            Some(factor) => Some(counting::twins(&tx.read(), &self.account, (factor, &self.factors))?),
            None => None,
        };
        let factor = self.factors.get_mut(index).ok_or(StoreError::Internal)?;
        let worth = Worth { last: self.counted.last, twins };
        proof::consume(tx, user, (factor, moved), worth)?
            .ok_or_else(|| StoreError::Tampered(format!("factor {} changed meanwhile", factor.id)))
    }

    /// Deletes the code that was sent for a factor: it does not survive a success, nor another code.
    pub(super) fn without_code(
        &mut self,
        tx: &Tx<'_>,
        index: usize,
        moved: Moving,
    ) -> Result<Moving, StoreError> {
        let factor = self.factors.get_mut(index).ok_or(StoreError::Internal)?;
        let Some(place) = self.codes.iter().position(|code| code.factor_id == factor.id) else {
            return Ok(moved);
        };
        self.codes.swap_remove(place).delete(tx, factor)?;
        Ok(Moving { drift: factor.moving.drift, ..moved })
    }

    /// A success forgets the failures without proven password too; one of several that are needed does not.
    /// A channel that is closed gets here only by a success with proven password. In a login it also ends the
    /// count of failed attempts, and says what it was; writes nothing where nothing failed.
    pub(super) fn forgive(&mut self, tx: &Tx<'_>) -> Result<Option<Failed>, StoreError> {
        if !self.counted.last {
            return Ok(None);
        }
        let unproven = &mut self.account.unproven;
        let spotless = unproven.failures == 0 && !unproven.until_admin;
        // Who proves a change to `mfactl` is not told there: the next login tells.
        let failed = Some(self.account.failed).filter(|count| *count > 0 && self.session != ENROLLMENT);
        if !self.counted.last || (spotless && failed.is_none()) {
            return Ok(None);
        }
        unproven.succeed();
        let failed = failed.map(|count| {
            self.account.failed = 0;
            Failed { count, from: std::mem::take(&mut self.account.failed_from) }
        });
        self.account.update(tx)?;
        Ok(failed)
    }

    /// Counts a wrong answer: once per factor and code it was judged for, or for the budget without
    /// password; and once for the account.
    pub(super) fn charge_wrong(
        &mut self,
        tx: &mut Tx<'_>,
        checks: &Checks,
        (answer, blame): (&Answer, Blame<'_>),
    ) -> Result<(), StoreError> {
        let mut wrong: Vec<usize> = checks
            .iter()
            .filter(|(_, check)| matches!(check, Check::Wrong | Check::Used))
            .map(|(index, _)| *index)
            .collect();
        for index in &wrong {
            self.fail_code(tx, *index)?;
        }
        if checks.is_empty() {
            // Nothing to compare with, because no code was sent, or it is dead: guessing waits all the same.
            let idle = self.factors.iter().enumerate();
            let idle = idle.filter(|(_, f)| self.is_open(f) && self.takes(f, answer));
            wrong = idle.map(|(index, _)| index).collect();
        }
        self.charge(tx, &wrong, blame)
    }

    /// Writes down that a code came again which this factor had taken before.
    pub(super) fn note_reuse(
        &self,
        tx: &mut Tx<'_>,
        index: usize,
        context: &Context,
    ) -> Result<(), StoreError> {
        let Some(factor) = self.factors.get(index) else { return Ok(()) };
        let (what, id) = ((notable::CODE_REUSED, context), Some(FactorId(factor.id)));
        notable::note(tx, what, id, factor.params.kind().word())
    }

    /// Counts a wrong answer against the code that was sent for a factor.
    pub(super) fn fail_code(&mut self, tx: &Tx<'_>, index: usize) -> Result<(), StoreError> {
        let id = self.factors.get(index).map(|factor| factor.id);
        match self.codes.iter_mut().find(|code| Some(code.factor_id) == id) {
            Some(code) => code.fail(tx),
            None => Ok(()),
        }
    }

    /// Counts a failure of some factors, or of the budget without password; and once of the account. What
    /// that locks gets a row of its own in the trail.
    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        factors: &[usize],
        Blame { context, channel }: Blame<'_>,
    ) -> Result<(), StoreError> {
        self.account.failed = self.account.failed.saturating_add(1);
        self.account.failed_from =
            context.source.as_ref().map(|source| source.as_str().to_owned()).unwrap_or_default();
        if channel == Channel::Unproven {
            let gate = self.account.unproven.fail(&tx.settings.unproven, tx.now);
            if let Some(lock) = notable::lock(gate, self.account.unproven, &tx.settings.unproven, tx.now) {
                notable::note(tx, (notable::LOCKED, context), None, &format!("unproven {lock}"))?;
                remembered::locked(tx, &mut self.account)?;
            }
            return self.account.update(tx);
        }
        let mut locked = false;
        for index in factors {
            let Some(factor) = self.factors.get_mut(*index) else { continue };
            let gate = factor.counter.fail(&tx.settings.profile, tx.now);
            if gate == Gate::Exhausted {
                factor.state = FactorState::Exhausted;
                tx.head.active_factors = tx.head.active_factors.saturating_sub(1);
            }
            factor.update(tx)?;
            if let Some(lock) = notable::lock(gate, factor.counter, &tx.settings.profile, tx.now) {
                notable::note(tx, (notable::LOCKED, context), Some(FactorId(factor.id)), &lock)?;
                locked = true;
            }
        }
        self.account.days.add(tx.now);
        let over = self.account.days.total(tx.now) >= tx.settings.profile.window_failures;
        if over && !self.account.window_locked {
            self.account.window_locked = true;
            locked = true;
            notable::note(tx, (notable::LOCKED, context), None, "long_window until_admin")?;
        }
        if locked {
            remembered::locked(tx, &mut self.account)?;
        }
        self.account.update(tx)
    }
}

/// Whether an answer has a code of so many digits, with a PIN before it or without.
fn has_digits(answer: &Answer, digits: u8) -> bool {
    match answer {
        Answer::Code(code) => code.digits() == digits,
        Answer::Pinned(pinned) => pinned.split(digits).is_some(),
        Answer::Acknowledged
        | Answer::Recovery(_)
        | Answer::Token(_)
        | Answer::Choice(_)
        | Answer::Text(_)
        | Answer::Empty => false,
    }
}
