//! A role as a program of its own: its command line, and in what words it fails to whoever started it.
//!
//! Refuses to know what a role does, and to start one that can be dumped or traced.

use std::{fmt::Display, io::Write as _, path::PathBuf, process::ExitCode};

use tracing::warn;

use crate::{
    config::{self, ConfigErrors},
    harden,
};

// No doc comment: it would stand in the help as what the program is.
#[expect(missing_docs, reason = "see above")]
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file; conf.d/*.toml beside it is read too
    #[arg(long, default_value = config::DEFAULT_PATH, value_name = "FILE")]
    pub config: PathBuf,
    /// End when standard input does: for whoever starts this as a child
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// A fault of the configuration that shows only where the role runs: a credential, a certificate or another file
/// is not there.
#[derive(Debug, thiserror::Error)]
#[error("{section}: {fault}")]
pub struct SetupFault {
    /// Where in the configuration: `[sms.gateway.twilio]`.
    pub section: String,
    /// What is wrong, and what to do.
    pub fault: String,
}

/// Why a role does not start or go on, in words for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What is wrong with the configuration: each line begins with the place, so that editors can go there.
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    /// What of the configuration cannot be put in force here.
    #[error("{}", in_lines(.0))]
    Setup(Vec<SetupFault>),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// Anything else.
    pub fn new(what: impl Display) -> Self {
        Self::Other(what.to_string())
    }

    /// The whole of it, as standard error gets it.
    fn told(&self, program: &str) -> String {
        match self {
            Self::Config(_) => format!("{self}\n{program}: the configuration is not valid"),
            Self::Setup(_) => format!("{self}\n{program}: the configuration cannot be put in force"),
            Self::Other(_) => format!("{program}: {self}"),
        }
    }

    /// A reload found this: it is told, and what was in force stays in force.
    pub fn warn_of_reload(&self) {
        for line in self.to_string().lines() {
            warn!("reload: {line}");
        }
        warn!("the configuration in force before goes on");
    }
}

fn in_lines(faults: &[SetupFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Hardens the process and runs the role. Exit status: 0 done, 1 failed; 2, that the command line is wrong, is said
/// before this.
pub fn run(program: &str, role: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    let hardened = harden::harden()
        .map_err(|e| Failure::new(format_args!("cannot give up core files and tracing: {e}")));
    match hardened.and_then(|()| role()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // When standard error is closed there is no one to tell; the exit status still says it.
            drop(writeln!(std::io::stderr(), "{}", failure.told(program)));
            ExitCode::FAILURE
        }
    }
}

/// Lets the process open `wanted` files, or says in the log how many fewer it may.
pub fn want_descriptors(wanted: u64) {
    match harden::allow_descriptors(wanted) {
        Ok(allowed) if allowed >= wanted => {}
        Ok(allowed) => warn!("only {allowed} of {wanted} files may be open: raise LimitNOFILE="),
        Err(error) => warn!("how many files may be open cannot be set: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_program_once() {
        let fault = |section: &str| SetupFault { section: section.to_owned(), fault: "not there".to_owned() };
        let setup = Failure::Setup(vec![fault("[a]"), fault("[b]")]);
        assert_eq!(
            setup.told("mfad-x"),
            "[a]: not there\n[b]: not there\nmfad-x: the configuration cannot be put in force"
        );
        assert_eq!(Failure::new("gone").told("mfad-x"), "mfad-x: gone");
    }
}
