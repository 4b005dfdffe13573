//! What core reaches once it has started, for the sandbox it lays on itself.
//!
//! No network and no programs: the account database, the log and egress are reached by Unix sockets. Modules of the
//! account database that would go out by themselves (`nss_nis`, `nss_ldap` of old) find no network here; `sssd`,
//! `nslcd`, `winbind` and `nscd` are asked by socket.

use std::path::Path;

use mfa_role::{credentials::directory_handed_over, sandbox::Rules};

use crate::config::{Config, KeySource};

/// What a reload of `config` has to reach.
pub fn of_config(config: &Config) -> Rules {
    let mut rules = Rules::default().read(&config.token().credentials_dir);
    if let KeySource::File(path) = &config.core().key {
        rules = rules.read_beside(path);
    }
    if let Some(look) = config.ldap().look().filter(|look| look.secret_key.is_some()) {
        rules = rules.read(&look.secret_key_dir);
    }
    if let Some(file) = &config.metrics().textfile {
        rules = rules.write(file.parent().unwrap_or(Path::new("/")));
    }
    rules
}

/// All that a start with `config`, read from `path`, has to reach: `made` are the sockets it has bound.
pub fn of_start(config: &Config, path: &Path, made: &[&Path]) -> Rules {
    let rules = of_config(config).read_beside(path).write(&config.core().state_dir);
    let rules = directory_handed_over().iter().fold(rules, |rules, path| rules.read(path));
    made.iter().fold(rules, |rules, path| rules.remove(path))
}
