//! `[egress]`: where the role that talks to the network listens, and how long and how much it calls.

use std::{path::PathBuf, time::Duration};

use super::{
    kinds::{account, duration, host_name, number, path, show_duration, socket},
    reader::{Found, Reader, Section},
    tree::Place,
};

/// Where the role that talks to the network listens, and how long and how much it calls.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Egress {
    /// Its socket. Mode 0660.
    pub socket: PathBuf,
    /// The account it runs as: the one, beside root and core's own, that core talks to.
    pub user: String,
    /// The account that core runs as: the one, beside root and its own, that it works for.
    pub core_user: String,
    /// The most errands at a time, a quarter of them to one service or medium; more are told that there are.
    pub max_calls: u32,
    /// How long one call to one gateway may take, all told.
    pub timeout: Duration,
    /// Where credentials are when the service manager hands over none.
    pub credentials_dir: PathBuf,
    /// What messages call this host; `None` for what the system calls it.
    pub host: Option<String>,
}

impl Egress {
    /// Also gives where the time of one call was found, for [`check_times`].
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> (Self, Found<Duration>) {
        let mut section = reader.section(root, "egress");
        let s = &mut section;
        let seconds = duration(Duration::from_secs(1)..=Duration::from_secs(60));
        let timeout = reader.value(s, "timeout", Duration::from_secs(10), seconds);
        let read = Self {
            socket: reader.value(s, "socket", "/run/mfad-egress/egress.sock".into(), socket).value,
            user: reader.value(s, "user", "mfad-egress".into(), account).value,
            core_user: reader.value(s, "core_user", "mfad".into(), account).value,
            max_calls: reader.value(s, "max_calls", 512, number(1..=1000)).value,
            timeout: timeout.value,
            credentials_dir: reader.value(s, "credentials_dir", "/etc/mfad/egress".into(), path).value,
            host: reader.optional(s, "host", host_name).value,
        };
        reader.close(section);
        (read, timeout)
    }
}

/// How long the longest errand may take: each gateway is called in turn.
pub(super) fn longest_errand(timeout: Duration, gateways: usize) -> Duration {
    timeout.saturating_mul(u32::try_from(gateways.max(1)).unwrap_or(u32::MAX))
}

/// A login has to outlive what it waits for. `needed` is where something was set that needs errands.
pub(super) fn check_times(
    reader: &mut Reader,
    timeout: &Found<Duration>,
    gateways: usize,
    login: Duration,
    needed: Option<Place>,
) {
    let longest = longest_errand(timeout.value, gateways);
    if needed.is_none() || timeout.faulty || longest < login {
        return;
    }
    let message = format!(
        "`egress.timeout` for each of {} gateways makes {}, which is not below `core.login_timeout` ({}): a login would never end in time",
        gateways.max(1),
        show_duration(longest),
        show_duration(login)
    );
    reader.fault(timeout.place.or(needed), message);
}
