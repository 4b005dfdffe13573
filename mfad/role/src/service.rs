//! What a role has to do with whoever started it: the service manager, or a parent that holds its standard input.

use sd_notify::NotifyState;
use tokio::io::AsyncReadExt as _;
use tracing::warn;

/// Tells the service manager, where there is one.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!("the service manager was not told: {error}");
    }
}

/// Tells the service manager that the role is ready.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Tells the service manager that a reload begins, and when: systemd asks for both. [`ready`] says that it is over.
pub fn reloading() {
    let told: Vec<_> =
        [NotifyState::Reloading].into_iter().chain(NotifyState::monotonic_usec_now()).collect();
    tell(&told);
}

/// Tells the service manager that the role is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells the service manager that the thread that does everything still does, until the task is dropped.
pub async fn watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    loop {
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(limit / 3).await;
    }
}

/// Whoever started this as a child is gone, or wants it to end.
pub async fn stdin_ended() {
    let mut stdin = tokio::io::stdin();
    let mut ignored = [0; 64];
    while !matches!(stdin.read(&mut ignored).await, Ok(0) | Err(_)) {}
}
