//! The core role: opens key and store, takes its sockets, serves until told to stop.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use listenfd::ListenFd;
use nix::unistd::{Gid, User};
use tokio::net::UnixListener;
use tracing::{info, warn};

use mfa_role::{
    peers,
    sandbox::{self, Sandbox},
    service,
    signals::{Signals, Word},
};

use super::{
    Failure,
    beside::{self, Beside},
    hardened, load, setup,
};
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    confinement,
    core::Core,
    harden, keys, ldap, log, metrics, notices, outgoing,
    server::{
        self,
        admission::Admission,
        listen::{self, Listener, Reach},
    },
    settings::Settings,
    signers,
    store::Store,
    upkeep,
};

/// Threads for look-ups in the account database, which may block.
const BLOCKING_THREADS: usize = crate::identity::Directory::MOST;

/// How the role is run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// Make key and database first when neither is there.
    pub(super) init: bool,
    /// Run egress and web beside it, where the configuration needs them.
    pub(super) with_others: bool,
}

/// Runs the role.
pub(super) fn run(path: &Path, manner: Manner) -> Result<(), Failure> {
    let config = load(path)?;
    let beside = if manner.with_others { others(&config)? } else { Vec::new() };
    hardened()?;
    log::start(config.log()).map_err(Failure::new)?;
    if manner.init {
        setup::init_if_new(&config)?;
    }
    // Before the sockets: they must not be taken from a daemon that is about to end.
    let _only_one = setup::lock_state(&config)?;
    make_room(&config);
    let listeners = Listeners::take(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|e| Failure::new(format_args!("cannot start the runtime: {e}")))?;
    let served = runtime.block_on(async {
        let started = beside.iter().map(|(name, program)| Beside::start((name, program), path));
        let mut beside = started.collect::<Result<Vec<_>, _>>()?;
        // What runs beside has a sandbox of its own. No thread runs here yet that this would leave out.
        let sandbox = confine(&config, path, &listeners, !beside.is_empty())?;
        let served = Box::pin(serve((path.to_owned(), config), &listeners, sandbox, &mut beside)).await;
        for one in beside {
            one.end().await;
        }
        served
    });
    // A look-up that hangs in the account database must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served
}

/// Descriptors beside those of connections: database, look-ups, log, and connections about to be refused.
const SPARE_DESCRIPTORS: u64 = 128;

/// Makes sure that connections run into their own bound, which tells the peer, before they run into the
/// process's, which would also keep the database and the account database from being opened.
fn make_room(config: &Config) {
    let sockets = 1 + u64::from(config.core().user_socket.is_some()) + u64::from(config.web().is_on());
    let errands = if config.needs_egress() { u64::from(outgoing::MOST) } else { 0 };
    let connections = u64::from(config.core().max_connections).saturating_mul(sockets);
    let wanted = connections.saturating_add(errands).saturating_add(SPARE_DESCRIPTORS);
    match harden::allow_descriptors(wanted) {
        Ok(allowed) if allowed < wanted => warn!(
            "{allowed} descriptors are allowed, and [core] max_connections takes {wanted}: raise LimitNOFILE= or lower it"
        ),
        Ok(_) => {}
        Err(error) => warn!("it is not known how many descriptors are allowed: {error}"),
    }
}

/// The sockets, for as long as the daemon runs.
struct Listeners {
    private: Listener,
    everyone: Option<Listener>,
    metrics: Option<Listener>,
    front: Option<Listener>,
}

impl Listeners {
    /// Takes what systemd hands over (first the private socket, then the one for everyone, then the one for
    /// front ends), or binds.
    fn take(config: &Config) -> Result<Self, Failure> {
        let mut handed = ListenFd::from_env();
        let core = config.core();
        let mut next = |path: &Path, reach| {
            let place = match reach {
                Reach::Private => 0,
                Reach::Everyone => 1,
                Reach::Group => 2,
            };
            match handed.take_unix_listener(place) {
                Ok(Some(socket)) => listen::taken_over(socket, path),
                Ok(None) if reach == Reach::Group => listen::bind_for_group(path, front_group(config)),
                Ok(None) => listen::bind(path, reach),
                Err(error) => {
                    return Err(Failure::new(format_args!(
                        "what the service manager hands over for {} is no listening Unix socket: {error}",
                        path.display()
                    )));
                }
            }
            .map_err(Failure::new)
        };
        let private = next(&core.socket, Reach::Private)?;
        let everyone = core.user_socket.as_deref().map(|path| next(path, Reach::Everyone)).transpose()?;
        let metrics = config.metrics().socket.as_deref();
        let group = config.metrics().socket_group.as_deref();
        let metrics = metrics.map(|path| bound_for(path, group)).transpose()?;
        let web = config.web();
        let front = web.is_on().then(|| next(&web.core_socket, Reach::Group)).transpose()?;
        Ok(Self { private, everyone, metrics, front })
    }

    /// The files of those that were bound here.
    fn made(&self) -> Vec<&Path> {
        let all = [Some(&self.private), self.everyone.as_ref(), self.metrics.as_ref(), self.front.as_ref()];
        all.into_iter().flatten().filter_map(Listener::made).collect()
    }
}

/// The group that may connect to the socket of front ends; the daemon's own where the account has none.
fn front_group(config: &Config) -> Option<Gid> {
    let user = User::from_name(&config.web().user).ok().flatten();
    user.filter(|user| user.uid != nix::unistd::geteuid()).map(|user| user.gid)
}

/// A socket for a group, where one is named; else for the daemon's own.
fn bound_for(path: &Path, group: Option<&str>) -> Result<Listener, Failure> {
    let group = match group {
        None => None,
        Some(name) => match nix::unistd::Group::from_name(name) {
            Ok(Some(group)) => Some(group.gid),
            Ok(None) => {
                return Err(Failure::new(format_args!(
                    "[metrics] socket_group: this host has no group {name}"
                )));
            }
            Err(error) => {
                return Err(Failure::new(format_args!(
                    "[metrics] socket_group: cannot look up {name}: {error}"
                )));
            }
        },
    };
    listen::bind_for_group(path, group).map_err(Failure::new)
}

/// Gives up what is not needed from here on.
fn confine(
    config: &Config,
    path: &Path,
    listeners: &Listeners,
    with_child: bool,
) -> Result<Sandbox, Failure> {
    let rules = confinement::of_start(config, path, &listeners.made());
    let rules = if with_child { rules.children() } else { rules };
    let sandbox = sandbox::enter(config.process().sandbox, rules).map_err(Failure::new)?;
    sandbox.tell();
    Ok(sandbox)
}

async fn serve(
    (path, config): (PathBuf, Config),
    listeners: &Listeners,
    sandbox: Sandbox,
    beside: &mut [Beside],
) -> Result<(), Failure> {
    let mut signals =
        Signals::listen().map_err(|e| Failure::new(format_args!("cannot listen for signals: {e}")))?;
    let keyring = keys::load(&config).map_err(Failure::new)?;
    let token = signers::load(&config).map_err(Failure::new)?;
    let value_key = ldap::load_key(&config).map_err(Failure::new)?;
    let settings = Settings::resolved(config).await.map_err(Failure::names)?;
    let settings = settings.with_signers(token).with_value_key(value_key);
    say_notes("start", settings.notes());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = setup::database(settings.config());
    let store =
        Store::open(&database, keyring, settings.for_store(), Arc::clone(&clock)).map_err(Failure::new)?;
    let core = Arc::new(Core::new(clock, store.clone(), settings, path).within(sandbox));
    core.recall_failures().await;
    let mut private = accepting(&core, &listeners.private, Admission::default())?;
    let everyone =
        listeners.everyone.as_ref().map(|l| accepting(&core, l, Admission::default())).transpose()?;
    let front = listeners.front.as_ref().map(|l| taking_front_ends(&core, l)).transpose()?;
    let figures = listeners.metrics.as_ref().map(|l| giving_figures(&core, l)).transpose()?;
    let mut chores = tokio::spawn(upkeep::run(Arc::clone(&core)));
    let mut telling = tokio::spawn(notices::run(Arc::clone(&core)));
    service::ready();
    info!("ready: socket {}", core.settings().config().core().socket.display());
    let ended = loop {
        // Nothing but a fault ends these before the daemon: to be started anew is better than to deny for good.
        let ended = tokio::select! {
            word = signals.next() => match word {
                Word::Stop => break Ok(()),
                Word::Reload => {
                    service::reloading();
                    reload(&core).await;
                    service::ready();
                    beside.iter().for_each(Beside::reload);
                    continue;
                }
            },
            _ = &mut private => "the task that takes connections",
            _ = &mut chores => "the task that does the chores",
            _ = &mut telling => "the task that has people told",
            () = store.ended() => "the thread that owns the database",
            name = ended(beside) => name,
        };
        break Err(Failure::new(format_args!("{ended} has ended by itself; the log says why")));
    };
    service::stopping();
    info!("stopping");
    private.abort();
    for more in everyone.into_iter().chain(figures).chain(front) {
        more.abort();
    }
    chores.abort();
    telling.abort();
    store.shutdown().await;
    ended
}

/// Waits for the end of one that runs beside, and says which; forever when there is none.
async fn ended(beside: &mut [Beside]) -> &'static str {
    let mut waits: Vec<_> = beside
        .iter_mut()
        .map(|one| {
            Box::pin(async {
                one.ended().await;
                one.name()
            })
        })
        .collect();
    std::future::poll_fn(|context| {
        let ended = waits.iter_mut().find_map(|wait| match wait.as_mut().poll(context) {
            Poll::Ready(name) => Some(name),
            Poll::Pending => None,
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// The programs that the configuration needs beside this one.
fn others(config: &Config) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let needed = [(beside::EGRESS, config.runs_egress()), (beside::WEB, config.web().is_on())];
    let needed = needed.into_iter().filter(|(_, needed)| *needed);
    needed.map(|(name, _)| Ok((name, beside::find(name)?))).collect()
}

fn accepting(
    core: &Arc<Core>,
    listener: &Listener,
    admission: Admission,
) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let failed = |e| Failure::new(format_args!("cannot serve the socket: {e}"));
    let socket = listener.socket.try_clone().and_then(UnixListener::from_std).map_err(failed)?;
    core.watch(admission.clone());
    Ok(tokio::spawn(server::serve(Arc::clone(core), socket, admission)))
}

/// What deserves a second look, in the log.
fn say_notes(when: &str, notes: &[String]) {
    for note in notes {
        warn!("{when}: {note}");
    }
}

fn taking_front_ends(core: &Arc<Core>, listener: &Listener) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let failed = |e| Failure::new(format_args!("cannot serve the socket of [web]: {e}"));
    let socket = listener.socket.try_clone().and_then(UnixListener::from_std).map_err(failed)?;
    let settings = core.settings();
    let user = &settings.config().web().user;
    let allowed = peers::allowed(user, "[web] user");
    // One that runs as root or as this process's own user is no less than that elsewhere.
    let own = [0, nix::unistd::geteuid().as_raw()];
    for uid in allowed.iter().filter(|uid| !own.contains(uid)) {
        core.set_front_end(*uid);
    }
    let admission = Admission::default();
    core.watch(admission.clone());
    Ok(tokio::spawn(server::front::serve(Arc::clone(core), socket, (allowed.into(), admission))))
}

fn giving_figures(core: &Arc<Core>, listener: &Listener) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let failed = |e| Failure::new(format_args!("cannot serve the socket of [metrics]: {e}"));
    let socket = listener.socket.try_clone().and_then(UnixListener::from_std).map_err(failed)?;
    Ok(tokio::spawn(metrics::serve(Arc::clone(core), socket)))
}

async fn reload(core: &Arc<Core>) {
    match core.reload().await {
        Ok(notes) => {
            say_notes("reload", &notes);
            info!("configuration and keys read again");
        }
        Err(problems) => {
            for problem in problems {
                warn!("reload: {problem}");
            }
            warn!("the configuration in force before goes on");
        }
    }
}
