//! The command line as clap sees it: names, values, help. One file per group of commands.
//!
//! Refuses to act: what is parsed here is handed to `commands`.

mod audit;
mod breakglass;
mod copy;
mod daemon;
mod device;
mod doctor;
mod enroll;
mod explain;
mod factor;
mod help;
mod import;
mod invite;
mod ldap;
mod lost;
mod orphans;
mod pam;
mod parse;
mod recovery;
mod remembered;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::{
    audit::{AuditArgs, AuditRows, AuditVerb, Link, VerifyArgs},
    breakglass::BreakGlassArgs,
    copy::{BackupArgs, RestoreArgs},
    daemon::{ConfigVerb, ManArgs, ShellName, StatusArgs, TestArgs},
    device::{AssignArgs, DescribeArgs, PinTarget, PinVerb, SerialArgs},
    doctor::DoctorArgs,
    enroll::{EnrollArgs, EnrollKind, EnrollWanted, OathArgs, QrStyle, SentArgs, Shown},
    explain::ExplainArgs,
    factor::{ConfirmArgs, RemoveArgs, SwitchArgs, TargetArgs, TokenVerb},
    help::{EXIT_CODES, FILES, JSON},
    import::ImportArgs,
    invite::InviteArgs,
    ldap::{LdapPullArgs, LdapSealArgs, LdapVerb},
    lost::LostArgs,
    orphans::{ListArgs, PruneArgs, ReassignArgs},
    pam::{Despite, PamDisableArgs, PamEnableArgs, PamRevertArgs, PamVerb, SshdWay},
    parse::when,
    recovery::{CodesTo, RecoveryNewArgs, RecoveryVerb},
    remembered::{RememberedVerb, RevokeArgs},
    user::{NamedUser, OptionalUser},
};

/// Enrolls second factors, shows how they stand, and repairs.
///
/// mfactl asks the daemon mfad, which decides: root may do everything, other people what concerns their
/// own account. Without USER a command is for the account it runs as; under sudo that is root.
#[derive(Debug, Parser)]
#[command(
    name = "mfactl",
    version,
    about,
    long_about,
    after_help = help::AFTER,
    after_long_help = help::after_long(),
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The heading over options of all commands.
const ALL: &str = "Options of all commands";

/// Options of all commands.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Print JSON on standard output, and nothing else there
    #[arg(long, global = true, help_heading = ALL)]
    pub(crate) json: bool,
    /// Talk to the daemon at this socket, named without symbolic links [default: /run/mfad/mfad.sock, else /run/mfad/user.sock]
    #[arg(long, global = true, help_heading = ALL, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Give up on a daemon that is silent for so many seconds [default: 10; 60 where something is sent or judged elsewhere; 600 for backup, restore and audit verify]
    #[arg(long, global = true, help_heading = ALL, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: Option<u64>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a factor: shows what to scan or type in, or has a code sent; without more words, asks what it needs to know
    Enroll(EnrollWanted),
    /// Prove a new factor by one of its codes, which makes it active
    #[command(after_long_help = help::CONFIRM)]
    Confirm(ConfirmArgs),
    /// Make and count recovery codes: single-use codes on paper
    #[command(subcommand, arg_required_else_help = true)]
    Recovery(RecoveryVerb),
    /// Invite a user to enroll a first factor (root)
    #[command(after_long_help = help::INVITE)]
    Invite(InviteArgs),
    /// Send a code to a telephone number or mail address that is enrolled
    #[command(after_long_help = help::SEND)]
    Send(TargetArgs),
    /// Find the counter of a device whose button was pressed too often, by two of its codes
    #[command(after_long_help = help::RESYNC)]
    Resync(TargetArgs),
    /// Work with signed tokens
    #[command(subcommand, arg_required_else_help = true)]
    Token(TokenVerb),
    /// Take users over from google-authenticator, libpam-oath and lists of tokens (root)
    #[command(after_long_help = help::IMPORT)]
    Import(Box<ImportArgs>),
    /// Work with a directory that has people's addresses and sealed secrets (root)
    #[command(subcommand, arg_required_else_help = true)]
    Ldap(LdapVerb),
    /// List the users that have factors
    #[command(after_long_help = help::LIST)]
    List(ListArgs),
    /// Show the factors, failures and locks of one user
    #[command(after_long_help = help::SHOW)]
    Show(OptionalUser),
    /// Switch a factor off until it is enabled again
    #[command(after_long_help = help::SWITCH)]
    Disable(SwitchArgs),
    /// Switch a disabled factor on again (root)
    #[command(after_long_help = help::SWITCH)]
    Enable(TargetArgs),
    /// Delete a factor, or all of a user
    #[command(after_long_help = help::SWITCH)]
    Remove(RemoveArgs),
    /// Set or take away what is typed before each code of a factor
    #[command(subcommand, arg_required_else_help = true)]
    Pin(PinVerb),
    /// Show whose device has a serial number (root)
    #[command(after_long_help = help::DEVICES)]
    Find(SerialArgs),
    /// Give the device of a factor a serial number or a description (root)
    #[command(after_long_help = help::DEVICES)]
    Describe(DescribeArgs),
    /// Give a device that nobody has to a user (root)
    #[command(after_long_help = help::DEVICES)]
    Assign(AssignArgs),
    /// Take a device back, so that it can be given to somebody else (root)
    #[command(after_long_help = help::DEVICES)]
    Unassign(SerialArgs),
    /// Give the factors of a user whose account has another uid, or another name, to that account (root)
    #[command(after_long_help = help::REASSIGN)]
    Reassign(ReassignArgs),
    /// Delete all factors of users whose account is gone or has another uid (root)
    #[command(after_long_help = help::PRUNE)]
    Prune(PruneArgs),
    /// End the waits of a user now; failures stay counted (root)
    #[command(after_long_help = help::SWITCH)]
    Unlock(NamedUser),
    /// Forget failures, waits and clock drift of a user; used codes stay used (root)
    #[command(after_long_help = help::SWITCH)]
    Reset(NamedUser),
    /// Make a code that lets a user in once, whatever else is lost or locked (root)
    #[command(name = "breakglass", after_long_help = help::BREAKGLASS)]
    BreakGlass(BreakGlassArgs),
    /// Somebody has lost a phone: switch off what is lost, forget remembered successes, help on (root)
    #[command(after_long_help = help::LOST)]
    Lost(LostArgs),
    /// List and revoke successes for which logins are not asked again
    #[command(subcommand, arg_required_else_help = true)]
    Remembered(RememberedVerb),
    /// Write a copy of the sealed database to a file, without the key (root)
    #[command(after_long_help = help::BACKUP)]
    Backup(BackupArgs),
    /// Put such a copy in the place of the database; used codes stay used (root)
    #[command(after_long_help = help::RESTORE)]
    Restore(RestoreArgs),
    /// Show how the daemon is (root)
    #[command(after_long_help = help::STATUS)]
    Status(StatusArgs),
    /// Show what was decided and changed, or check that nobody tampered with it (root)
    #[command(after_long_help = help::AUDIT)]
    Audit(Box<AuditArgs>),
    /// Log in without PAM, to see what the daemon says
    #[command(after_long_help = help::TEST)]
    Test(TestArgs),
    /// Say what decides a login and what it would see, without logging in (root)
    #[command(after_long_help = help::EXPLAIN)]
    Explain(ExplainArgs),
    /// Look for what is wrong on this host: daemon, files, PAM, sshd, clock, users (root sees most)
    #[command(after_long_help = help::DOCTOR)]
    Doctor(DoctorArgs),
    /// Set it all up, step by step: a factor, recovery codes, the logins that ask (root)
    #[command(after_long_help = help::SETUP)]
    Setup,
    /// Put the second factor into logins, and take it out again, safely
    #[command(subcommand, arg_required_else_help = true)]
    Pam(PamVerb),
    /// Look at the configuration
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigVerb),
    /// Have the daemon read its configuration and key again (root)
    #[command(after_long_help = help::CONFIG)]
    Reload,
    /// Print the completions for a shell
    Completions {
        /// For which shell
        shell: ShellName,
    },
    /// Print the man page, or write the pages of all commands
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
