//! What the program can be started as, and its command line.

mod beside;
mod core;
mod restore;
mod setup;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    config::{self, Config, ConfigErrors, KeySource},
    harden,
    settings::Settings,
    store::Trail,
};

/// Checks second factors and counts attempts, for `pam_mfa` and `mfactl`.
#[derive(Debug, Parser)]
#[command(name = "mfad", version, about, propagate_version = true)]
pub struct Cli {
    /// The configuration file; conf.d/*.toml beside it is read too
    #[arg(long, global = true, default_value = config::DEFAULT_PATH, value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Run the role that holds keys and decides (no network)
    Core,
    /// Run the role that sends codes and calls outside services (no keys, no database)
    Egress,
    /// Run the role that speaks HTTP (no keys, no database)
    Web,
    /// Run all that the configuration needs: for containers and trying out
    Run {
        /// Make key and database first when neither is there
        #[arg(long)]
        init: bool,
    },
    /// Make the key file and an empty database, once, on a new host
    Init,
    /// Say whether the configuration is valid, and all that is wrong with it
    CheckConfig,
    /// Put a file that `mfactl backup` wrote in the place of the database, where no daemon runs
    Restore {
        /// The file
        file: PathBuf,
        /// Take it although rows of its audit trail were changed or removed
        #[arg(long)]
        accept_broken_trail: bool,
    },
    /// Work with the file that holds the keys
    #[command(subcommand)]
    Key(KeyAction),
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Make the key file
    Init,
    /// Put a new key first; the daemon re-seals its rows after `mfactl reload` (or SIGHUP)
    Rotate,
    /// Remove an old key that no row needs any more (see `mfactl status`)
    Forget {
        /// The id of the key
        id: String,
    },
}

/// A failure, in words for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What is wrong with the configuration: each line begins with the place, so that editors can go there.
    #[error("{0}\nmfad: the configuration is not valid")]
    Config(#[from] ConfigErrors),
    /// What is wrong with names that the configuration mentions.
    #[error("{0}\nmfad: the configuration cannot be used on this host")]
    Names(String),
    /// Anything else.
    #[error("mfad: {0}")]
    Other(String),
}

impl Failure {
    fn new(what: impl std::fmt::Display) -> Self {
        Self::Other(what.to_string())
    }

    #[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
    fn names(problems: Vec<String>) -> Self {
        Self::Names(problems.join("\n"))
    }
}

/// Runs what the command line says. Exit status: 0 done, 1 failed, 2 the command line is wrong.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.role {
        Role::CheckConfig => check_config(&cli.config),
        Role::Init => hardened().and_then(|()| load(&cli.config)).and_then(|config| setup::init(&config)),
        Role::Restore { file, accept_broken_trail } => {
            let trail = if accept_broken_trail { Trail::MayBeBroken } else { Trail::Whole };
            hardened().and_then(|()| load(&cli.config)).and_then(|config| restore::run(config, &file, trail))
        }
        Role::Key(action) => {
            hardened().and_then(|()| load(&cli.config)).and_then(|config| key(&config, &action))
        }
        Role::Core => core::run(&cli.config, core::Manner::default()),
        Role::Egress => beside::become_it(beside::EGRESS, &cli.config),
        Role::Web => beside::become_it(beside::WEB, &cli.config),
        Role::Run { init } => core::run(&cli.config, core::Manner { init, with_others: true }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // When standard error is closed there is no one to tell; the exit status still says it.
            drop(writeln!(std::io::stderr(), "{failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Before a key is touched.
fn hardened() -> Result<(), Failure> {
    harden::harden().map_err(|e| Failure::new(format_args!("cannot give up core files and tracing: {e}")))
}

fn load(path: &Path) -> Result<Config, Failure> {
    Ok(Config::load(path)?)
}

/// As far as a start would look: names of groups and accounts are looked up as well.
fn check_config(path: &Path) -> Result<(), Failure> {
    let config = load(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format_args!("cannot start the runtime: {e}")))?;
    let resolved = runtime.block_on(Settings::resolved(config));
    // A look-up that hangs in the account database must not hold up the end.
    runtime.shutdown_background();
    let settings = resolved.map_err(Failure::names)?;
    say(&format!("{}: valid", path.display()));
    for note in settings.notes() {
        say(&format!("note: {note}"));
    }
    Ok(())
}

fn key(config: &Config, action: &KeyAction) -> Result<(), Failure> {
    let KeySource::File(path) = &config.core().key else {
        return Err(Failure::new(
            "the key is a credential that the service manager hands over: change it where it is stored (sealed by systemd-creds: /usr/lib/mfad/sealed-key)",
        ));
    };
    match action {
        KeyAction::Init => setup::make_key(path),
        KeyAction::Rotate => setup::rotate_key(path),
        KeyAction::Forget { id } => setup::forget_key(config, path, id),
    }
}

/// One line for the person at the terminal.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
