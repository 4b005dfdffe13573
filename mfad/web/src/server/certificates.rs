//! The certificates that listeners show, read again by a reload.
//!
//! Refuses to replace one while another cannot be used: all of them are read before any counts. Connections that are
//! open go on as they began.

use std::sync::Arc;

use mfa_role::config::{Web, WebListen};
use rustls::ServerConfig;
use tokio::sync::watch;

use super::tls;
use crate::SetupFault;

/// What a listener shows now.
pub type Shown = watch::Receiver<Arc<ServerConfig>>;

/// Those of all listeners.
#[derive(Debug, Default)]
pub struct Certificates(Vec<(WebListen, watch::Sender<Arc<ServerConfig>>)>);

/// Certificates that are read and can be used, and count once [`Renewed::replace`] says so.
#[derive(Debug)]
#[must_use]
pub struct Renewed<'a>(Vec<(&'a watch::Sender<Arc<ServerConfig>>, Arc<ServerConfig>)>);

impl Certificates {
    /// Reads those of a listener; `None` when it has none. The error says what is wrong with them.
    pub fn load(&mut self, listen: &WebListen, web: &Web) -> Result<Option<Shown>, String> {
        let Some(terms) = &listen.tls else { return Ok(None) };
        let (replace, shown) = watch::channel(tls::load(terms, web)?);
        self.0.push((listen.clone(), replace));
        Ok(Some(shown))
    }

    /// Reads all of them again, from where they were at the start; or all that is wrong with them.
    pub fn renew(&self, web: &Web) -> Result<Renewed<'_>, Vec<SetupFault>> {
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (listen, replace) in &self.0 {
            let Some(terms) = &listen.tls else { continue };
            match tls::load(terms, web) {
                Ok(config) => all.push((replace, config)),
                Err(fault) => {
                    faults.push(SetupFault { section: format!("[[web.listen]] {}", listen.place), fault });
                }
            }
        }
        if faults.is_empty() { Ok(Renewed(all)) } else { Err(faults) }
    }
}

impl Renewed<'_> {
    /// New connections are shown these.
    pub fn replace(self) {
        for (replace, config) in self.0 {
            drop(replace.send_replace(config));
        }
    }
}
