//! The web role: hardens the process, reads configuration and credentials, serves its listeners until told to
//! stop.

use std::{io, net::TcpListener as StdTcp, path::Path, process::ExitCode, sync::Arc};

use clap::Parser;
use mfa_role::{
    config::{Config, WebListen, WebPlace},
    credentials::Credentials,
    listen::{self, Reach},
    log, peers,
    program::{self, Arguments, Failure},
    sandbox::{self, Sandbox},
    service,
    signals::{Signals, Word},
};
use tokio::{sync::watch, task::JoinSet};
use tracing::{info, warn};

use crate::{
    SetupFault,
    ceptor::Sessions,
    clients::Clients,
    confinement,
    link::{self, Link},
    prover::Prover,
    router::State,
    server::{Listening, Server, Socket, certificates::Certificates},
    transactions::Transactions,
};

/// Descriptors beside those of connections: log, signals, files that are read.
const OTHER_DESCRIPTORS: u64 = 64;

/// Speaks HTTP for mfad: its own API and the dialects of others. Started as `mfad web`.
#[derive(Debug, Parser)]
#[command(name = "mfad-web", version, about)]
pub struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

/// Runs the role. Exit status: 0 done, 1 failed, 2 the command line is wrong.
pub fn run(cli: &Cli) -> ExitCode {
    program::run("mfad-web", || start(&cli.arguments))
}

fn start(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    if !config.web().is_on() {
        return Err(Failure::new("nothing listens: add [[web.listen]] to the configuration"));
    }
    log::start(config.log()).map_err(Failure::new)?;
    let connections = u64::from(config.web().max_connections);
    let to_core = u64::try_from(link::MOST).unwrap_or(u64::MAX);
    let wanted = connections.saturating_add(to_core).saturating_add(OTHER_DESCRIPTORS);
    program::want_descriptors(wanted);
    // Before other threads run: it sets the mask for the mode of files.
    let mut certificates = Certificates::default();
    let (listening, bound) = listeners(&config, &mut certificates)?;
    // Before other threads run, too: it would leave them out.
    let rules = confinement::of_start(&config, &arguments.config, &bound);
    let sandbox = sandbox::enter(config.process().sandbox, rules).map_err(Failure::new)?;
    sandbox.tell();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(format_args!("cannot start: {e}")))?;
    let done = runtime.block_on(serve(arguments, &config, (listening, certificates), &sandbox));
    runtime.shutdown_background();
    done
}

/// All listeners, bound here; the files of Unix sockets go when what is kept of them does.
fn listeners(
    config: &Config,
    certificates: &mut Certificates,
) -> Result<(Vec<Listening>, Vec<listen::Listener>), Failure> {
    let (mut all, mut bound, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for listen in &config.web().listen {
        let tls = certificates.load(listen, config.web());
        let section = format!("[[web.listen]] {}", listen.place);
        match (bind(listen, &mut bound), tls) {
            (Ok(socket), Ok(tls)) => all.push(Listening { socket, listen: listen.clone(), tls }),
            (Err(fault), _) | (_, Err(fault)) => faults.push(SetupFault { section, fault }),
        }
    }
    if faults.is_empty() { Ok((all, bound)) } else { Err(Failure::Setup(faults)) }
}

fn bind(listen: &WebListen, bound: &mut Vec<listen::Listener>) -> Result<Socket, String> {
    let failed = |error: io::Error| format!("cannot listen: {error}");
    match &listen.place {
        WebPlace::Address(address) => {
            let socket = StdTcp::bind(address).map_err(failed)?;
            socket.set_nonblocking(true).map_err(failed)?;
            Ok(Socket::Tcp(socket))
        }
        WebPlace::Socket(path) => {
            let listener = listen::bind(path, Reach::Group).map_err(|error| error.to_string())?;
            let socket = listener.socket.try_clone().map_err(failed)?;
            bound.push(listener);
            Ok(Socket::Unix(socket))
        }
    }
}

async fn serve(
    arguments: &Arguments,
    config: &Config,
    (listening, certificates): (Vec<Listening>, Certificates),
    sandbox: &Sandbox,
) -> Result<(), Failure> {
    let mut signals =
        Signals::listen().map_err(|e| Failure::new(format_args!("cannot listen for signals: {e}")))?;
    let listeners = peers::allowed(&config.egress().core_user, "[egress] core_user");
    let link = Link::new(config.web().core_socket.clone(), listeners);
    let transactions = Transactions::default();
    let (replace, state) = watch::channel(prepare(config, &link, &transactions, &Sessions::default())?);
    let server = Server::new(state);
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        transactions.sweep().await;
        Ok(())
    });
    for listening in listening {
        info!("ready: {}", listening.listen.place);
        serving.spawn(server.clone().serve(listening));
    }
    let watchdog = tokio::spawn(service::watchdog());
    service::ready();
    let ended = loop {
        tokio::select! {
            word = signals.next() => match word {
                Word::Stop => break Ok(()),
                Word::Reload => {
                    service::reloading();
                    reload(&arguments.config, &replace, (&certificates, sandbox));
                    service::ready();
                }
            },
            () = service::stdin_ended(), if arguments.until_stdin_ends => break Ok(()),
            _ = serving.join_next() => {
                break Err(Failure::new("a task that takes connections has ended by itself; the log says why"));
            }
        }
    };
    service::stopping();
    info!("stopping");
    watchdog.abort();
    serving.shutdown().await;
    ended
}

fn prepare(
    config: &Config,
    link: &Link,
    transactions: &Transactions,
    sessions: &Sessions,
) -> Result<Arc<State>, Failure> {
    let places = Credentials::for_group(&config.web().credentials_dir);
    let clients = Clients::load(config, &places).map_err(Failure::Setup)?;
    let (web, link, transactions) = (config.web().clone(), link.clone(), transactions.clone());
    let (sessions, prover) = (sessions.clone(), Prover::new(config));
    Ok(Arc::new(State { web, clients, link, transactions, sessions, prover }))
}

/// Reads configuration, credentials and certificates again; with a fault in them, what was in force stays in force.
/// Listeners, and where their certificates are, are those of the start.
fn reload(
    path: &Path,
    replace: &watch::Sender<Arc<State>>,
    (certificates, sandbox): (&Certificates, &Sandbox),
) {
    let before = Arc::clone(&replace.borrow());
    let within = |config: Config| match sandbox.contains(&confinement::of_config(&config)) {
        Ok(()) => Ok(config),
        Err(told) => Err(Failure::Other(told)),
    };
    let read = Config::load(path).map_err(Failure::from).and_then(within);
    let prepared = read.and_then(|config| {
        let renewed = certificates.renew(config.web()).map_err(Failure::Setup)?;
        Ok((prepare(&config, &before.link, &before.transactions, &before.sessions)?, renewed))
    });
    match prepared {
        Ok((state, renewed)) => {
            if state.web.listen != before.web.listen {
                warn!("reload: [[web.listen]] was changed, which takes effect at the next start");
            }
            renewed.replace();
            replace.send_replace(state);
            info!("configuration, credentials and certificates read again");
        }
        Err(failure) => failure.warn_of_reload(),
    }
}
