//! How libpam walks a stack: one outcome after the other (`_pam_dispatch_aux`, Linux-PAM 1.5 to 1.7).

use super::control::{Action, Code};
use super::search::Outcome;
use super::stack::{Run, Stack};

/// What libpam thinks so far.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Impression {
    /// Nothing counted yet.
    None,
    /// Something counted, and nothing failed.
    Good,
    /// Something failed.
    Bad,
}

/// How a stack ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// What the application gets.
    pub code: Code,
}

impl Verdict {
    /// Whether it lets in.
    pub fn grants(self) -> bool {
        self.code == Code::SUCCESS
    }
}

/// libpam at one line of a stack.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Machine {
    at: usize,
    before: usize,
    impression: Impression,
    status: Code,
    saved: Vec<(Impression, Code)>,
}

impl Machine {
    /// Before the first module of `stack`.
    pub fn start(stack: &Stack) -> Self {
        let begun = (Impression::None, Code::PERM_DENIED);
        let mut machine = Self { at: 0, before: 0, impression: begun.0, status: begun.1, saved: vec![begun] };
        machine.arrive(stack);
        machine
    }

    /// The line whose outcome is next; `None` at the end.
    pub fn at(&self, stack: &Stack) -> Option<usize> {
        (self.at < stack.entries.len()).then_some(self.at)
    }

    /// How it ended, when it has.
    pub fn verdict(&self, stack: &Stack) -> Option<Verdict> {
        if self.at(stack).is_some() {
            return None;
        }
        if stack.aborts {
            return Some(Verdict { code: Code::ABORT });
        }
        let good = self.status != Code::SUCCESS || self.impression == Impression::Good;
        Some(Verdict { code: if good { self.status } else { Code::PERM_DENIED } })
    }

    /// After the module at this line gave `outcome`.
    #[must_use]
    pub fn after(&self, stack: &Stack, outcome: Outcome) -> Self {
        let mut next = self.clone();
        if let Some(entry) = stack.entries.get(self.at) {
            let (code, action) = match outcome {
                Outcome::Absent => (Code::IGNORE, Action::Ignore),
                Outcome::Code(code) => (code, entry.control.action(code)),
            };
            next.act(stack, code, action);
        }
        next.at = next.at.saturating_add(1);
        next.arrive(stack);
        next
    }

    fn act(&mut self, stack: &Stack, code: Code, action: Action) {
        let level = self.before;
        match action {
            Action::Ignore => {}
            Action::Reset => {
                if let Some(saved) = self.saved.get(level) {
                    (self.impression, self.status) = *saved;
                }
            }
            Action::Ok | Action::Done => {
                let open = self.impression == Impression::Good && self.status == Code::SUCCESS;
                if self.impression == Impression::None || open {
                    (self.impression, self.status) = (Impression::Good, code);
                }
                if action == Action::Done && self.impression == Impression::Good {
                    self.skip_level(stack, level);
                }
            }
            Action::Bad | Action::Die => {
                if self.impression != Impression::Bad {
                    let status = if code == Code::IGNORE { Code::PERM_DENIED } else { code };
                    (self.impression, self.status) = (Impression::Bad, status);
                }
                if action == Action::Die {
                    self.skip_level(stack, level);
                }
            }
            Action::Jump(lines) => self.jump(stack, level, lines),
        }
    }

    /// Passes over what is left of this stack, that of the level around it not.
    fn skip_level(&mut self, stack: &Stack, level: usize) {
        while self.level_after(stack).is_some_and(|next| next >= level) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Passes over `lines` lines; a substack is one of them. Beyond the end of the stack it fails.
    fn jump(&mut self, stack: &Stack, level: usize, lines: usize) {
        let mut left = lines;
        while left > 0 && self.level_after(stack).is_some_and(|next| next >= level) {
            self.at = self.at.saturating_add(1);
            while self.level_after(stack).is_some_and(|next| next > level) {
                self.at = self.at.saturating_add(1);
            }
            left = left.saturating_sub(1);
        }
        if left > 0 {
            (self.impression, self.status) = (Impression::Bad, Code::PERM_DENIED);
        }
    }

    fn level_after(&self, stack: &Stack) -> Option<usize> {
        stack.entries.get(self.at.saturating_add(1)).map(|entry| entry.level)
    }

    /// Goes on to the next line that has an outcome, and keeps what is to be restored by `reset`.
    fn arrive(&mut self, stack: &Stack) {
        while let Some(entry) = stack.entries.get(self.at) {
            if entry.level > self.before {
                self.saved.resize(entry.level, (self.impression, self.status));
                self.saved.push((self.impression, self.status));
            } else {
                self.saved.truncate(entry.level.saturating_add(1));
            }
            self.before = entry.level;
            if !matches!(entry.run, Run::Substack(_)) {
                return;
            }
            self.at = self.at.saturating_add(1);
        }
        // Ways that end alike are alike.
        self.at = stack.entries.len();
        self.before = 0;
        self.saved.clear();
    }
}

/// Walks `stack` to its end, with the outcomes that `of` gives for each line by its number.
pub fn walk(stack: &Stack, of: impl Fn(usize) -> Code) -> Verdict {
    let mut machine = Machine::start(stack);
    loop {
        if let Some(verdict) = machine.verdict(stack) {
            return verdict;
        }
        let fails = stack.entries.get(machine.at).is_some_and(|e| matches!(e.run, Run::MustFail(_)));
        let code = if fails { Code::PERM_DENIED } else { of(machine.at) };
        machine = machine.after(stack, Outcome::Code(code));
    }
}
