//! The rule of `--optional`: users without a factor get in by one service without a code. It is policy, so that the
//! trail tells it, and not a control flag of PAM that would let errors pass as well.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use mfa_proto::admin::{Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::{ServiceName, UserId, UserName};

use super::file::Original;
use super::record::DropIn;
use crate::commands::Context;
use crate::doctor::users;
use crate::failure::Failure;
use crate::new_file::sync_directory;

/// Where such rules are.
const DIRECTORY: &str = "/etc/mfad/conf.d";

/// What the trail calls it.
fn name(service: &str) -> String {
    format!("{service} optional")
}

/// The rule for a service.
pub(crate) fn of(service: &str) -> DropIn {
    let text = format!(
        "{}# It decides where no rule before it does.\n[[policy.rule]]\nname = \"{}\"\n\
         match = {{ service = [\"{service}\"] }}\naction = \"require\"\nunenrolled = \"skip\"\n",
        super::drop_in::HEAD,
        name(service)
    );
    DropIn { path: format!("{DIRECTORY}/50-{service}-optional.toml"), text }
}

/// Writes the rule, and has the daemon read it.
pub(crate) fn put(context: &Context, service: &str, rule: &DropIn) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().mode(0o755).recursive(true).create(DIRECTORY);
    made.and_then(|()| sync_directory(Path::new(DIRECTORY)))
        .map_err(|error| Failure::local(format!("make {DIRECTORY}"), &error))?;
    let path = Path::new(&rule.path);
    Original::read(path)?.unwrap_or_else(Original::absent).replace(path, &rule.text)?;
    let reply = context.target.ask(&Request::Reload)?;
    let Reply::Config(report) = reply else { return Err(context.target.unexpected()) };
    if !report.valid {
        return Err(Failure::withheld(
            format!("mfad does not take the rule in {}: {}", rule.path, report.problems.join("; ")),
            "correct the configuration (mfactl config check), then again",
        ));
    }
    in_force(context, service)
}

/// Whether some rule decides about the service now: the daemon may have its configuration elsewhere.
fn in_force(context: &Context, service: &str) -> Result<(), Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    let root = UserId::local(UserName::new("root").map_err(|error| usage(&error))?);
    let named = ServiceName::new(service).map_err(|error| usage(&error))?;
    let told = users::explain(&mut context.target.open(Protocol::Admin)?, &root, &named, None)?;
    if told.rule.is_some() {
        return Ok(());
    }
    Err(Failure::withheld(
        format!("mfad reads its configuration from elsewhere: no rule decides about {service}"),
        format!(
            "write a rule with `unenrolled = \"skip\"` for {service} there (mfad.toml(5)), and leave --optional out"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_for_one_service_and_lets_no_error_pass() {
        let rule = of("sshd");
        assert!(
            rule.text
                .contains("match = { service = [\"sshd\"] }\naction = \"require\"\nunenrolled = \"skip\"\n")
        );
        assert!(rule.path.ends_with("50-sshd-optional.toml") && super::super::drop_in::is_ours(&rule.text));
    }
}
