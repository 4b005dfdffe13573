//! Which files are reached, by Landlock. Nothing is but what a rule names.
//!
//! Also holds, where the kernel can: no TCP without the network, no abstract sockets and no signals to
//! processes outside, no requests to devices.

use std::{fs, io, path::Path};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope,
};

use super::{
    SandboxError,
    rules::{Access, Grant, Rules},
};

/// The newest version whose meaning was looked at. Those of older kernels are taken as far as they go.
const KNOWN: ABI = ABI::V7;

/// Restricts this thread and those it starts. The version of Landlock, or `None` where there is none.
pub(super) fn restrict(rules: &Rules) -> Result<Option<i32>, SandboxError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(KNOWN))?;
    if !rules.has_network() {
        ruleset = ruleset.handle_access(AccessNet::from_all(KNOWN))?;
    }
    if let Some(scope) = scope(rules) {
        ruleset = ruleset.scope(scope)?;
    }
    let created = rules.grants().iter().try_fold(ruleset.create()?, add)?;
    let status = created.restrict_self()?;
    let version = match status.landlock {
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            Some(kernel_abi.unwrap_or_else(|| number(effective_abi)))
        }
    };
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => None,
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => version,
    })
}

/// Its number, which the library does not tell of those it knows.
fn number(abi: ABI) -> i32 {
    (1..100).find(|number| ABI::from(*number) >= abi).unwrap_or_default()
}

/// What lies outside must not be reached through the kernel's own names. Told where the service manager listens
/// under such a name; and processes that were started before lie outside.
fn scope(rules: &Rules) -> Option<BitFlags<Scope>> {
    let mut scope = Scope::from_all(KNOWN);
    if notified_abstractly() {
        scope.remove(Scope::AbstractUnixSocket);
    }
    if rules.has_children() {
        scope.remove(Scope::Signal);
    }
    // An empty one is an error.
    (!scope.is_empty()).then_some(scope)
}

fn notified_abstractly() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the daemon's environment is the service manager's, not a user's"
    )]
    let socket = std::env::var("NOTIFY_SOCKET");
    socket.is_ok_and(|name| name.starts_with('@'))
}

fn add(ruleset: RulesetCreated, grant: &Grant) -> Result<RulesetCreated, SandboxError> {
    let failed = |source| SandboxError::Path { path: grant.path.clone(), source };
    let opened = match PathFd::new(&grant.path) {
        Err(error) if out_of_reach(&error) => return Ok(ruleset),
        opened => opened.map_err(failed)?,
    };
    let wanted = rights(grant.access);
    let wanted = if is_directory(&grant.path) { wanted } else { wanted & AccessFs::from_file(KNOWN) };
    // A right to remove files means nothing on a file.
    if wanted.is_empty() { Ok(ruleset) } else { Ok(ruleset.add_rule(PathBeneath::new(opened, wanted))?) }
}

/// Nothing is granted where nothing is, or where this process could not go anyway.
fn out_of_reach(error: &PathFdError) -> bool {
    use std::error::Error as _;
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
        )
    })
}

fn is_directory(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir())
}

fn rights(access: Access) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match access {
        Access::Read => read,
        Access::Write => {
            read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile
        }
        Access::All => {
            let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
            AccessFs::from_all(KNOWN) & !devices
        }
        Access::Remove => AccessFs::RemoveFile.into(),
        Access::Run => read | AccessFs::Execute,
    }
}
