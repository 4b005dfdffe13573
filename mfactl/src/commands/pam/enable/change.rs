//! One change, and how it is made: the record first, then sshd, then the stack. What fails on the way takes back what
//! was made before it.

use mfa_proto::admin::Request;

use crate::apply::{self, DropIn, Edited, Original, Plan, Record, Sshd, State, Timer, Way};
use crate::commands::Context;
use crate::doctor::host::{Host, shown};
use crate::doctor::pam::{Asking, said};
use crate::doctor::{Finding, Severity};
use crate::failure::Failure;

/// One change.
#[derive(Debug)]
pub(super) struct Change {
    /// What is written down of it.
    pub(super) record: Record,
    /// What sshd will ask first, where it is changed.
    pub(super) way: Option<Way>,
    plan: Option<Plan>,
    /// What the distribution's file says, and what it is about to say.
    common: Option<(Original, String)>,
    asking: Option<Asking>,
}

impl Change {
    /// Nothing yet.
    pub(super) fn of(service: &str, since: i64) -> Self {
        let record = Record {
            service: service.to_owned(),
            since,
            until: None,
            stack: None,
            profile: false,
            drop_in: None,
            rule: None,
        };
        Self { record, way: None, plan: None, common: None, asking: None }
    }

    /// Also switches the distribution's profile on, by which sshd asks, where there is one, as `asking` says.
    pub(super) fn profile(&mut self, common: (Original, String), asking: Option<Asking>) {
        self.record.profile = true;
        self.common = Some(common);
        self.asking = asking;
    }

    /// The services in which somebody must still get in.
    pub(super) fn services<'s>(&self, named: &'s str) -> Vec<&'s str> {
        match (self.record.profile, &self.asking) {
            (false, _) => vec![named],
            (true, Some(_)) => vec!["sshd", "login"],
            (true, None) => vec!["login"],
        }
    }

    /// Also edits the service's file.
    pub(super) fn stack(&mut self, plan: Plan) {
        self.asking.clone_from(&plan.judged.asking);
        self.record.stack = Some(Edited {
            path: plan.path.to_string_lossy().into_owned(),
            before: plan.original.as_ref().map(|original| original.text.clone()),
            after: plan.after.clone(),
        });
        self.plan = Some(plan);
    }

    /// The service asks already, like this.
    pub(super) fn asks(&mut self, asking: Option<Asking>) {
        self.asking = asking;
    }

    /// Also writes the drop-in of sshd.
    pub(super) fn drop_in(&mut self, drop_in: Option<(DropIn, Way)>) {
        if let Some((drop_in, way)) = drop_in {
            self.record.drop_in = Some(drop_in);
            self.way = Some(way);
        }
    }

    /// Also writes a rule of the daemon's policy.
    pub(super) fn rule(&mut self, rule: DropIn) {
        self.record.rule = Some(rule);
    }

    /// Taken back after so many seconds.
    pub(super) fn until(mut self, within: Option<i64>) -> Self {
        self.record.until = within.map(|within| self.record.since.saturating_add(within));
        self
    }

    /// Whether it changes nothing.
    pub(super) fn is_none(&self) -> bool {
        self.plan.is_none()
            && !self.record.profile
            && self.record.drop_in.is_none()
            && self.record.rule.is_none()
    }

    /// How the service asks then, where its file is edited.
    pub(super) fn asking(&self) -> Option<&Asking> {
        self.asking.as_ref()
    }

    /// What is to be known of the stack.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.plan.iter().flat_map(|plan| &plan.judged.found)
    }

    /// Each file that changes: its path, before and after.
    pub(super) fn differences(&self) -> Vec<(String, String, String)> {
        let stack = self.plan.iter().map(|plan| (shown(&plan.path), plan.before.clone(), plan.after.clone()));
        let made = [&self.record.drop_in, &self.record.rule].into_iter().flatten();
        let made = made.map(|made| (made.path.clone(), String::new(), made.text.clone()));
        let common = self.common.iter().map(|(common, after)| {
            (format!("/etc/pam.d/{}", apply::profile::COMMON), common.text.clone(), after.clone())
        });
        stack.chain(common).chain(made).collect()
    }

    /// Makes it. What is to be known afterwards.
    pub(super) fn make(&self, context: &Context, host: &Host) -> Result<Vec<String>, Failure> {
        let state = State::of_host();
        let _lock = state.lock()?;
        if let Some((common, _)) = &self.common {
            state.keep(&format!("{}.before", self.record.service), &common.text)?;
        }
        if let Some(plan) = &self.plan {
            state.keep(&format!("{}.before", self.record.service), &plan.before)?;
        }
        state.write(&self.record)?;
        self.written_down(context, host).map_err(|failure| self.taken_back(context, host, &state, failure))
    }

    fn written_down(&self, context: &Context, host: &Host) -> Result<Vec<String>, Failure> {
        if self.record.until.is_some()
            && let Some(timer) = Timer::find()
        {
            timer.arm()?;
        }
        let mut notes = Vec::new();
        if let Some(rule) = &self.record.rule {
            apply::rule::put(context, &self.record.service, rule)?;
        }
        if let Some(drop_in) = &self.record.drop_in {
            notes.extend(self.sshd(host, drop_in)?);
        }
        if self.record.profile {
            super::profile::enable(host)?;
        }
        if let Some(plan) = &self.plan {
            match &plan.original {
                Some(original) => original.replace(&plan.path, &plan.after)?,
                None => Original::absent().replace(&plan.path, &plan.after)?,
            }
        }
        if self.record.drop_in.is_some()
            && let Some(sshd) = Sshd::find()
            && sshd.reload()?
        {
            notes.push("sshd has read its configuration again; logins that are open stay.".to_owned());
        }
        Ok(notes)
    }

    /// Writes the drop-in. The running sshd does not know of it yet; what it would make of it is judged as it will
    /// read it.
    fn sshd(&self, host: &Host, drop_in: &DropIn) -> Result<Vec<String>, Failure> {
        let Some(sshd) = Sshd::find() else { return Ok(Vec::new()) };
        Original::absent().replace(std::path::Path::new(&drop_in.path), &drop_in.text)?;
        let would_not = |why: &str| {
            Failure::withheld(
                format!("sshd would not ask, even with {}: {why}", drop_in.path),
                "see that /etc/ssh/sshd_config says `Include /etc/ssh/sshd_config.d/*.conf` before all else, and that no file \
                 before 50-mfad.conf says otherwise (sshd -T)",
            )
        };
        sshd.test().map_err(|failure| would_not(&failure.to_string()))?;
        let found = self.settings(host);
        if apply::asks_all(&found) {
            return Ok(warnings(&found).collect());
        }
        Err(would_not(&found.iter().map(said).collect::<Vec<_>>().join("; ")))
    }

    /// What is to be known of sshd's settings as they are, with the stack as it will be.
    pub(super) fn settings(&self, host: &Host) -> Vec<Finding> {
        let found = self.asking().map(|asking| apply::settings_of(host, std::slice::from_ref(asking)));
        found.unwrap_or_default()
    }

    fn taken_back(&self, context: &Context, host: &Host, state: &State, failure: Failure) -> Failure {
        match apply::give_up(host, state, &self.record) {
            Ok(undone) if undone.rule => {
                // Without the rule, as it was before; where the daemon is away, it reads that when it is back.
                let _it_is_told = context.target.ask(&Request::Reload);
                failure
            }
            Ok(_) => failure,
            Err(second) => Failure::withheld(
                format!("{failure}; and taking it back failed: {second}"),
                format!("mfactl pam revert {}", self.record.service),
            ),
        }
    }
}

/// Ways to log in that are let be, but deserve a look.
pub(super) fn warnings(found: &[Finding]) -> impl Iterator<Item = String> {
    let worth = found.iter().filter(|finding| finding.severity != Severity::Ok);
    worth.map(|finding| format!("{}: {}", finding.severity.word(), said(finding)))
}
