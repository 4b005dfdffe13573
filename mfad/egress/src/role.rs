//! The egress role: hardens the process, reads configuration and credentials, serves its socket until told
//! to stop.

use std::{path::Path, process::ExitCode, sync::Arc};

use clap::Parser;
use listenfd::ListenFd;
use mfa_role::{
    config::Config,
    credentials::Credentials,
    listen::{self, Listener, Reach},
    log, peers,
    program::{self, Arguments, Failure},
    prover,
    sandbox::{self, Sandbox},
    service,
    signals::{Signals, Word},
};
use tokio::{net::UnixListener, sync::watch, task::JoinSet};
use tracing::{info, warn};

use crate::{
    confinement,
    errand::Outside,
    ldap::ByDirectory,
    server::{self, Shared},
    sms,
};

/// Descriptors beside those of connections and calls: log, signals, files that are read.
const OTHER_DESCRIPTORS: u64 = 64;
/// Descriptors for each errand: its connection, its call, looking a name up.
const DESCRIPTORS_PER_ERRAND: u64 = 6;

/// Descriptors for passwords, where a directory proves them: the connections of web, and those of checks under way.
const DESCRIPTORS_FOR_PASSWORDS: u64 = 192;

/// Threads for looking names up and for files, which may block.
const BLOCKING_THREADS: usize = 32;

/// Sends codes and calls outside services for mfad. Started as `mfad egress`.
#[derive(Debug, Parser)]
#[command(name = "mfad-egress", version, about)]
pub struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

/// Runs the role. Exit status: 0 done, 1 failed, 2 the command line is wrong.
pub fn run(cli: &Cli) -> ExitCode {
    program::run("mfad-egress", || start(&cli.arguments))
}

fn start(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    log::start(config.log()).map_err(Failure::new)?;
    let errands = u64::from(config.egress().max_calls).saturating_mul(DESCRIPTORS_PER_ERRAND);
    let passwords = if config.ldap().is_on() { DESCRIPTORS_FOR_PASSWORDS } else { 0 };
    let wanted = errands.saturating_add(passwords).saturating_add(OTHER_DESCRIPTORS);
    program::want_descriptors(wanted);
    // Before other threads run: it sets the mask for the mode of files.
    let listeners = Listeners { errands: listener(&config)?, passwords: password_listener(&config)? };
    let sandbox = confine(&config, &arguments.config, &listeners)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    let runtime = runtime.map_err(|e| Failure::new(format_args!("cannot start: {e}")))?;
    let done = runtime.block_on(serve(arguments, config, &listeners, &sandbox));
    // A name that is still looked up must not hold the end up.
    runtime.shutdown_background();
    done
}

/// The sockets that it serves.
struct Listeners {
    /// Core's.
    errands: Listener,
    /// Web's, where a directory proves passwords.
    passwords: Option<Listener>,
}

/// The socket, from the service manager or bound here.
fn listener(config: &Config) -> Result<Listener, Failure> {
    let path = &config.egress().socket;
    match ListenFd::from_env().take_unix_listener(0) {
        Ok(Some(socket)) => listen::taken_over(socket, path),
        Ok(None) => listen::bind(path, Reach::Group),
        Err(error) => {
            let shown = path.display();
            let what = format!(
                "what the service manager hands over for {shown} is no listening Unix socket: {error}"
            );
            return Err(Failure::Other(what));
        }
    }
    .map_err(Failure::new)
}

/// The socket for web. Its directory belongs to web's group, and so does the socket that is made in it.
fn password_listener(config: &Config) -> Result<Option<Listener>, Failure> {
    let ldap = config.ldap();
    let listener = ldap.is_on().then(|| listen::bind(&ldap.password_socket, Reach::Group));
    listener.transpose().map_err(Failure::new)
}

/// Gives up what is not needed from here on. No thread runs yet that this would leave out.
fn confine(config: &Config, path: &Path, listeners: &Listeners) -> Result<Sandbox, Failure> {
    sms::make_folders(config);
    let all = [Some(&listeners.errands), listeners.passwords.as_ref()].into_iter().flatten();
    let made: Vec<_> = all.filter_map(Listener::made).collect();
    let rules = confinement::of_start(config, path, &made);
    let sandbox = sandbox::enter(config.process().sandbox, rules).map_err(Failure::new)?;
    sandbox.tell();
    Ok(sandbox)
}

async fn serve(
    arguments: &Arguments,
    config: Config,
    listeners: &Listeners,
    sandbox: &Sandbox,
) -> Result<(), Failure> {
    let failed = |e| Failure::new(format_args!("cannot serve the socket: {e}"));
    let mut signals =
        Signals::listen().map_err(|e| Failure::new(format_args!("cannot listen for signals: {e}")))?;
    let allowed = allowed(&config);
    let may_prove = peers::allowed(&config.web().user, "[web] user");
    let shown = config.egress().socket.display().to_string();
    let (replace, outside) = watch::channel(prepare(config)?);
    let mut serving = JoinSet::new();
    let open = |listener: &Listener| listener.socket.try_clone().and_then(UnixListener::from_std);
    if let Some(listener) = &listeners.passwords {
        let shared = prover::Shared::new(ByDirectory(outside.clone()), may_prove, false);
        serving.spawn(prover::serve(open(listener).map_err(failed)?, shared));
    }
    let socket = open(&listeners.errands).map_err(failed)?;
    serving.spawn(server::serve(socket, Shared { outside, allowed }));
    let watchdog = tokio::spawn(service::watchdog());
    service::ready();
    info!("ready: socket {shown}");
    let ended = loop {
        tokio::select! {
            word = signals.next() => match word {
                Word::Stop => break Ok(()),
                Word::Reload => {
                    service::reloading();
                    reload(&arguments.config, &replace, sandbox);
                    service::ready();
                }
            },
            () = service::stdin_ended(), if arguments.until_stdin_ends => break Ok(()),
            _ = serving.join_next() => {
                break Err(Failure::new("the task that takes connections has ended by itself; the log says why"));
            }
        }
    };
    service::stopping();
    info!("stopping");
    watchdog.abort();
    serving.abort_all();
    ended
}

fn prepare(config: Config) -> Result<Arc<Outside>, Failure> {
    let places = Credentials::for_group(&config.egress().credentials_dir);
    Outside::new(Arc::new(config), &places).map(Arc::new).map_err(Failure::Setup)
}

/// Reads configuration and credentials again; with a fault in them, what was in force stays in force.
fn reload(path: &Path, replace: &watch::Sender<Arc<Outside>>, sandbox: &Sandbox) {
    let within = |config| within_reach(config, sandbox);
    match Config::load(path).map_err(Failure::from).and_then(within).and_then(prepare) {
        Ok(outside) => {
            let sockets = |outside: &Outside| {
                let ldap = outside.config().ldap();
                ldap.is_on().then(|| ldap.password_socket.clone())
            };
            let before = sockets(&replace.borrow());
            if sockets(&outside).is_some_and(|socket| before.is_none_or(|before| before != socket)) {
                warn!("reload: the socket of [ldap] is made at the next start");
            }
            replace.send_replace(outside);
            info!("configuration and credentials read again");
        }
        Err(failure) => failure.warn_of_reload(),
    }
}

/// What the sandbox of this run keeps out of reach would only be told as a file that cannot be read.
fn within_reach(config: Config, sandbox: &Sandbox) -> Result<Config, Failure> {
    sandbox.contains(&confinement::of_config(&config)).map_err(Failure::Other)?;
    Ok(config)
}

/// Who may ask: root, this process's own user, core's.
fn allowed(config: &Config) -> Arc<[u32]> {
    peers::allowed(&config.egress().core_user, "[egress] core_user").into()
}
