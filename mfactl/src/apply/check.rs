//! What sshd's settings come to with a stack as it will be: the same judgment as `doctor`'s.

use std::path::PathBuf;

use crate::cli::DoctorArgs;
use crate::doctor::host::Host;
use crate::doctor::pam::Asking;
use crate::doctor::{Finding, Report, Severity, sshd};

/// What is wrong with the settings of sshd as they are, each `Match` block included.
pub(crate) fn settings_of(host: &Host, asking: &[Asking]) -> Vec<Finding> {
    let arguments = DoctorArgs {
        root: PathBuf::from("/"),
        pam_dir: None,
        sshd_config: None,
        sshd_settings: None,
        deep: false,
        verbose: false,
    };
    let mut report = Report::default();
    sshd::check(host, &arguments, asking, &mut report);
    report.sorted().into_iter().filter(|finding| finding.severity != Severity::Ok).cloned().collect()
}

/// Whether no way to log in is left that could not ask, or would ask for too little.
pub(crate) fn asks_all(found: &[Finding]) -> bool {
    !found.iter().any(|one| matches!(one.severity, Severity::Problem | Severity::Unchecked))
}
