//! What egress reaches once it has started, for the sandbox it lays on itself.
//!
//! The network and what it was given to call with. Programs only where one is to be run for notices: that one gets
//! the same sandbox, which then has to be wide.

use std::path::Path;

use mfa_role::{
    config::{Config, Gateway, GatewayKind},
    credentials::directory_handed_over,
    sandbox::Rules,
};

/// What a reload of `config` has to reach.
pub(crate) fn of_config(config: &Config) -> Rules {
    let rules = Rules::default().network().read(&config.egress().credentials_dir);
    let rules = config.sms().gateways.iter().fold(rules, of_gateway);
    let services = config.rest().values().filter_map(|service| service.calls.access.ca.as_deref());
    let server = config.mail().server.as_ref().and_then(|server| server.ca.as_deref());
    let directory = config.ldap().directory.as_ref().and_then(|directory| directory.ca.as_deref());
    let rules = services.chain(server).chain(directory).fold(rules, Rules::read_beside);
    if config.notify().hook.is_some() { rules.programs() } else { rules }
}

/// All that a start with `config`, read from `path`, has to reach: `made` are the sockets it has bound.
pub(crate) fn of_start(config: &Config, path: &Path, made: &[&Path]) -> Rules {
    let rules = of_config(config).read_beside(path);
    let rules = directory_handed_over().iter().fold(rules, |rules, path| rules.read(path));
    made.iter().copied().fold(rules, Rules::remove)
}

fn of_gateway(rules: Rules, gateway: &Gateway) -> Rules {
    match &gateway.kind {
        GatewayKind::Http(http) => http.access.ca.iter().fold(rules, |rules, ca| rules.read_beside(ca)),
        GatewayKind::File { directory } => rules.write(directory),
        GatewayKind::Modem { .. } => rules,
    }
}
