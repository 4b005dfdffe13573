//! `[process]`: what the roles give up when they have started.

use super::{
    kinds::choice,
    reader::{Reader, Section},
};

/// What the roles give up when they have started.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Process {
    /// How much of a sandbox there has to be.
    pub sandbox: SandboxMode,
}

/// How much of a sandbox there has to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SandboxMode {
    /// All of it, or the role does not start.
    Required,
    /// As much as the kernel offers.
    BestEffort,
    /// None.
    Off,
}

impl Process {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "process");
        let words = choice(&[
            ("required", SandboxMode::Required),
            ("best-effort", SandboxMode::BestEffort),
            ("off", SandboxMode::Off),
        ]);
        let sandbox = reader.value(&mut section, "sandbox", SandboxMode::BestEffort, words).value;
        reader.close(section);
        Self { sandbox }
    }
}
