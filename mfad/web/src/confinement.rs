//! What web reaches once it has started, for the sandbox it lays on itself.
//!
//! The network, core's socket, the credentials of its clients, and certificates, whose files are renewed.

use std::path::Path;

use mfa_role::{
    config::{Config, PemFile},
    credentials::directory_handed_over,
    listen::Listener,
    sandbox::Rules,
};

/// What a reload of `config` has to reach.
pub(crate) fn of_config(config: &Config) -> Rules {
    Rules::default().network().read(&config.web().credentials_dir)
}

/// All that a start with `config`, read from `path`, has to reach: `bound` are the sockets made here.
pub(crate) fn of_start(config: &Config, path: &Path, bound: &[Listener]) -> Rules {
    // The listeners of the start go on whatever a reload says of them, with certificates that are renewed there.
    let listeners = config.web().listen.iter().filter_map(|listen| listen.tls.as_ref());
    let files = listeners.flat_map(|tls| [Some(&tls.certificate), Some(&tls.key), tls.client_ca.as_ref()]);
    let rules = files.flatten().fold(of_config(config).read_beside(path), |rules, file| match file {
        PemFile::Path(path) => rules.read_beside(path),
        // Below directories that are named anyway.
        PemFile::Credential(_) => rules,
    });
    let rules = directory_handed_over().iter().fold(rules, |rules, path| rules.read(path));
    bound.iter().filter_map(Listener::made).fold(rules, Rules::remove)
}
