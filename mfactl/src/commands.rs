//! The commands: each asks the daemon, shows what it says, and makes an exit code of it.

mod agent;
mod audit;
mod backup;
mod breakglass;
mod code;
mod config;
mod confirm;
mod device;
mod enroll;
mod explain;
mod generate;
mod hint;
mod import;
mod invite;
mod ldap;
mod list;
mod lost;
pub(crate) mod orphans;
mod pam;
mod recovery;
mod remembered;
mod remove;
mod resync;
mod secret;
mod send;
mod setup;
mod state_dir;
mod status;
mod test;
mod token;
mod user;
mod verb;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use crate::cli::{Cli, Command, ConfigVerb, Global, TokenVerb};
use crate::client::Target;
use crate::failure::{Failure, exit};
use crate::out::Out;
use crate::render::time::Now;

/// Seconds the daemon may be silent.
const TIMEOUT: u64 = 10;
/// Seconds it may be silent where another service may have to answer first: in a login, and to send a code.
const LOGIN_TIMEOUT: u64 = 60;
/// Seconds it may be silent where polkit may have to ask a person first.
const PERSON_TIMEOUT: u64 = 75;
/// Seconds it may be silent while it copies or checks a whole database or trail.
const COPY_TIMEOUT: u64 = 600;

/// What every command needs.
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) out: Out,
    /// The daemon.
    pub(crate) target: Target,
    /// The present time.
    pub(crate) now: Now,
}

/// Parses the command line and does what it says.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _a_closed_pipe_is_fine = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    let mut context = context(&cli.global, &cli.command);
    ExitCode::from(match dispatch(&mut context, cli.command) {
        Ok(code) => code,
        Err(failure) => report(&mut context.out, &failure),
    })
}

fn context(global: &Global, command: &Command) -> Context {
    let outside = matches!(
        command,
        Command::Test(_) | Command::Send(_) | Command::Enroll(_) | Command::Confirm(_) | Command::Ldap(_)
    );
    let verify = matches!(command, Command::Audit(arguments) if arguments.verb.is_some());
    let deep = matches!(command, Command::Doctor(arguments) if arguments.deep);
    let copies = verify || deep || matches!(command, Command::Backup(_) | Command::Restore(_));
    let usual = if outside { LOGIN_TIMEOUT } else { TIMEOUT };
    let usual = if copies { COPY_TIMEOUT } else { usual };
    let usual = if changes_own(command) { PERSON_TIMEOUT } else { usual };
    let timeout = Duration::from_secs(global.timeout.unwrap_or(usual));
    Context {
        out: Out::of_process(global.json),
        target: Target { socket: global.socket.clone(), timeout },
        now: Now::of_host(),
    }
}

/// Whether the daemon may have polkit asked about it.
fn changes_own(command: &Command) -> bool {
    let changes = matches!(
        command,
        Command::Enroll(_)
            | Command::Confirm(_)
            | Command::Recovery(_)
            | Command::Resync(_)
            | Command::Disable(_)
            | Command::Remove(_)
            | Command::Pin(_)
    );
    changes && !nix::unistd::geteuid().is_root()
}

fn dispatch(context: &mut Context, command: Command) -> Result<u8, Failure> {
    let _agent = if changes_own(&command) { agent::Agent::start() } else { None };
    match command {
        Command::Enroll(wanted) => enroll::run(context, wanted.kind),
        Command::Confirm(arguments) => confirm::run(context, arguments),
        Command::Recovery(verb) => recovery::run(context, verb),
        Command::Invite(arguments) => invite::run(context, &arguments),
        Command::Send(arguments) => send::run(context, arguments),
        Command::Resync(arguments) => resync::run(context, arguments),
        Command::Token(TokenVerb::Issue(arguments)) => token::issue(context, arguments),
        Command::Import(arguments) => import::run(context, *arguments),
        Command::Ldap(verb) => ldap::run(context, verb),
        Command::List(arguments) if arguments.orphaned => orphans::list(context),
        Command::List(_) => list::list(context),
        Command::Show(user) => list::show(context, &user),
        Command::Disable(arguments) => verb::disable(context, arguments),
        Command::Enable(arguments) => verb::enable(context, arguments),
        Command::Remove(arguments) => remove::run(context, arguments),
        Command::Pin(what) => device::pin(context, what),
        Command::Find(arguments) => device::find(context, &arguments),
        Command::Describe(arguments) => device::describe(context, arguments),
        Command::Assign(arguments) => device::assign(context, &arguments),
        Command::Unassign(arguments) => device::unassign(context, &arguments),
        Command::Reassign(arguments) => orphans::reassign(context, &arguments),
        Command::Prune(arguments) => orphans::prune(context, &arguments),
        Command::Unlock(user) => verb::unlock(context, &user),
        Command::Reset(user) => verb::reset(context, &user),
        Command::BreakGlass(arguments) => breakglass::run(context, &arguments),
        Command::Lost(arguments) => lost::run(context, &arguments),
        Command::Remembered(verb) => remembered::run(context, verb),
        Command::Backup(arguments) => backup::backup(context, &arguments),
        Command::Restore(arguments) => backup::restore(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Audit(arguments) => audit::run(context, &arguments),
        Command::Test(arguments) => test::run(context, arguments),
        Command::Explain(arguments) => explain::run(context, arguments),
        Command::Doctor(arguments) => crate::doctor::run(context, &arguments),
        Command::Setup => setup::run(context),
        Command::Pam(verb) => pam::run(context, verb),
        Command::Config(ConfigVerb::Check) => config::check(context),
        Command::Reload => config::reload(context),
        Command::Completions { shell } => generate::completions(context, shell),
        Command::Man(arguments) => generate::man(context, &arguments),
    }
}

/// Tells the person, and with `--json` the program. A reader that went away needs to be told nothing.
fn report(out: &mut Out, failure: &Failure) -> u8 {
    let code = failure.exit();
    if code == exit::OK {
        return code;
    }
    out.note(&format!("mfactl: {failure}"));
    if let Some(hint) = failure.hint() {
        out.note(&format!("  hint: {hint}"));
    }
    let error = json!({
        "code": failure.word(),
        "message": failure.to_string(),
        "hint": failure.hint(),
        "exit": code,
    });
    let _the_exit_code_says_it = out.json(&json!({ "error": error }));
    code
}
