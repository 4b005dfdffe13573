//! Where PAM's files are, and which services there are.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use mfactl::pam::{Source, in_pam_conf, logical};

use super::CHECK;
use crate::doctor::host::{Host, shown};
use crate::doctor::{Finding, Severity};

/// What is a service though others include it.
const SERVICES: [&str; 5] = ["login", "other", "sshd", "su", "sudo"];

/// The files of PAM.
#[derive(Debug)]
pub(super) struct Files<'a> {
    host: &'a Host,
    /// What a file is taken to say, whatever it says: an edit before it is made.
    instead: Option<(String, String)>,
    directories: Vec<PathBuf>,
    /// `/etc/pam.conf`, which counts where there is no directory.
    single: Option<Source>,
    services: Vec<String>,
    faults: RefCell<Vec<Finding>>,
}

impl<'a> Files<'a> {
    /// Finds them.
    pub(super) fn of(host: &'a Host) -> Result<Self, Finding> {
        let usual = || vec![host.path("/etc/pam.d"), host.path("/usr/lib/pam.d")];
        let directories = host.pam_dir.clone().map_or_else(usual, |directory| vec![directory]);
        let directories: Vec<PathBuf> = directories.into_iter().filter(|path| path.is_dir()).collect();
        let mut files = Self {
            host,
            instead: None,
            directories,
            single: None,
            services: Vec::new(),
            faults: RefCell::default(),
        };
        if files.directories.is_empty() {
            files.single = Some(files.pam_conf()?);
        }
        files.services = files.find_services()?;
        Ok(files)
    }

    fn pam_conf(&self) -> Result<Source, Finding> {
        let path = self.host.path("/etc/pam.conf");
        let text = Host::text(CHECK, &path)?.ok_or_else(|| {
            Finding::new(CHECK, Severity::Unchecked, "there is neither a pam.d nor a pam.conf")
                .at(shown(&path))
        })?;
        Ok(Source { path: shown(&path), text })
    }

    fn find_services(&self) -> Result<Vec<String>, Finding> {
        let mut all = BTreeSet::new();
        let mut included = BTreeSet::new();
        if let Some(single) = &self.single {
            let names = logical(&single.text);
            all.extend(
                names.iter().filter_map(|(_, line)| Some(line.split_whitespace().next()?.to_lowercase())),
            );
        }
        for directory in &self.directories {
            let leftover = |name: &String| name.contains('.') || name.ends_with('~') || name == "README";
            all.extend(Host::names(CHECK, directory)?.into_iter().filter(|name| !leftover(name)));
        }
        for name in &all {
            let Some(source) = self.open(name) else { continue };
            included.extend(logical(&source.text).iter().filter_map(|(_, line)| target(line)));
        }
        let is_service = |name: &String| !included.contains(name) || SERVICES.contains(&name.as_str());
        Ok(all.into_iter().filter(is_service).collect())
    }

    /// The same, as if the file of `service` said `text`.
    pub(super) fn with(mut self, service: &str, text: &str) -> Self {
        self.instead = Some((service.to_owned(), text.to_owned()));
        self
    }

    /// The services, in order of name; files that are only included are none.
    pub(super) fn services(&self) -> &[String] {
        &self.services
    }

    /// Where they are, to be shown.
    pub(super) fn place(&self) -> String {
        self.directories.first().map_or_else(|| "/etc/pam.conf".to_owned(), |path| shown(path))
    }

    /// The file of a service, as libpam finds it.
    pub(super) fn open(&self, name: &str) -> Option<Source> {
        if let Some((service, text)) = &self.instead
            && service == name
        {
            let path = shown(&self.host.path("/etc/pam.d").join(name));
            return Some(Source { path, text: text.clone() });
        }
        if name.starts_with('/') {
            return self.read(&self.host.path(name));
        }
        if let Some(single) = &self.single {
            let text = in_pam_conf(&single.text, name)?;
            return Some(Source { path: single.path.clone(), text });
        }
        self.directories.iter().find_map(|directory| self.read(&directory.join(name)))
    }

    /// What could not be read on the way.
    pub(super) fn take_faults(&self) -> Vec<Finding> {
        self.faults.take()
    }

    fn read(&self, path: &std::path::Path) -> Option<Source> {
        if path.is_dir() {
            return None;
        }
        match Host::text(CHECK, path) {
            Ok(text) => Some(Source { path: shown(path), text: text? }),
            Err(finding) => {
                self.faults.borrow_mut().push(finding);
                None
            }
        }
    }
}

/// What a line includes.
fn target(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if first.eq_ignore_ascii_case("@include") {
        return words.next().map(str::to_owned);
    }
    let control = words.next()?;
    let includes = ["include", "substack"].iter().any(|word| control.eq_ignore_ascii_case(word));
    words.next().filter(|_| includes).map(str::to_owned)
}
