//! Starts the prover: hardens the process, takes its socket, serves it until told to stop. With `prove` it is
//! the process for one password.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser, Subcommand, value_parser};
use listenfd::ListenFd;
use mfa_role::{
    config::Log,
    listen::{self, Listener},
    log,
    program::{self, Failure},
    prover::{self, Shared},
    service,
    signals::{Signals, Word},
};
use nix::unistd::User;
use tokio::net::UnixListener;
use tracing::info;

use crate::{child::Pam, prove};

/// Proves passwords through PAM for the front ends of mfad.
#[derive(Debug, Parser)]
#[command(name = "mfad-password", version, about)]
pub struct Cli {
    /// The one account that may ask
    #[arg(long, default_value = "mfad-web", value_name = "NAME")]
    user: String,
    /// The PAM service, a file in /etc/pam.d
    #[arg(long, default_value = "mfad-password", value_name = "NAME")]
    service: String,
    /// Where to listen, when the service manager hands over no socket
    #[arg(long, default_value = "/run/mfad-password/password.sock", value_name = "PATH")]
    socket: PathBuf,
    /// Seconds that PAM may take for one password
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u8).range(1..=28), value_name = "SECONDS")]
    deadline: u8,
    /// Let passwords be changed, too
    #[arg(long)]
    allow_change: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Check the one password on standard input: what the prover starts for each
    #[command(hide = true)]
    Prove {
        /// The PAM service
        #[arg(long)]
        service: String,
    },
}

/// Runs it. Exit status: 0 done, 1 failed, 2 the command line is wrong.
pub fn run(cli: &Cli) -> ExitCode {
    if let Some(Part::Prove { service }) = &cli.part {
        return prove::run(service);
    }
    program::run("mfad-password", || start(cli).map_err(Failure::Other))
}

fn start(cli: &Cli) -> Result<(), String> {
    log::start(&Log::default()).map_err(|e| e.to_string())?;
    let user = User::from_name(&cli.user)
        .map_err(|e| format!("the account \"{}\" cannot be looked up: {e}", cli.user))?;
    let user = user.ok_or_else(|| format!("there is no account \"{}\" that may ask (--user)", cli.user))?;
    if user.uid.is_root() {
        return Err("root needs nobody to prove a password: name the front end's account (--user)".to_owned());
    }
    let listener = listener(cli, &user)?;
    let way = Pam { service: cli.service.clone(), deadline: Duration::from_secs(cli.deadline.into()) };
    let shared = Shared::new(way, vec![user.uid.as_raw()], cli.allow_change);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| format!("cannot start: {e}"))?;
    runtime.block_on(serve(cli, shared, &listener))
}

/// The socket, from the service manager or bound here for the front end's group.
fn listener(cli: &Cli, user: &User) -> Result<Listener, String> {
    let path = &cli.socket;
    match ListenFd::from_env().take_unix_listener(0) {
        Ok(Some(socket)) => listen::taken_over(socket, path),
        Ok(None) => listen::bind_for_group(path, Some(user.gid)),
        Err(error) => {
            return Err(format!(
                "what the service manager hands over is no listening Unix socket: {error}; look at mfad-password.socket"
            ));
        }
    }
    .map_err(|e| e.to_string())
}

async fn serve(cli: &Cli, shared: Arc<Shared<Pam>>, listener: &Listener) -> Result<(), String> {
    let mut signals = Signals::listen().map_err(|e| format!("cannot listen for signals: {e}"))?;
    let socket = listener.socket.try_clone().and_then(UnixListener::from_std);
    let socket = socket.map_err(|e| format!("cannot serve the socket: {e}"))?;
    let mut serving = tokio::spawn(prover::serve(socket, shared));
    let watchdog = tokio::spawn(service::watchdog());
    service::ready();
    info!("ready: PAM service {} for {}", cli.service, cli.user);
    let ended = loop {
        tokio::select! {
            word = signals.next() => match word {
                Word::Stop => break Ok(()),
                Word::Reload => info!("nothing to read again: all settings are on the command line"),
            },
            _ = &mut serving => {
                break Err("the task that takes connections has ended by itself; the log says why".to_owned());
            }
        }
    };
    service::stopping();
    watchdog.abort();
    serving.abort();
    ended
}
