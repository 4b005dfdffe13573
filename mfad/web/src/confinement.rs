//! What web reaches once it has started, for the sandbox it lays on itself.
//!
//! The network, core's socket, and the credentials of its clients. Certificates are read before, once.

use std::path::Path;

use mfa_role::{config::Config, credentials::directory_handed_over, listen::Listener, sandbox::Rules};

/// What a reload of `config` has to reach.
pub(crate) fn of_config(config: &Config) -> Rules {
    Rules::default().network().read(&config.web().credentials_dir)
}

/// All that a start with `config`, read from `path`, has to reach: `bound` are the sockets made here.
pub(crate) fn of_start(config: &Config, path: &Path, bound: &[Listener]) -> Rules {
    let rules = of_config(config).read_beside(path);
    let rules = directory_handed_over().iter().fold(rules, |rules, path| rules.read(path));
    bound.iter().filter_map(Listener::made).fold(rules, Rules::remove)
}
