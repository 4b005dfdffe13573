//! What a role asks for: paths and what it does there, the network, programs, other processes.
//!
//! Grants name directories rather than files wherever something may be replaced there by renaming, as editors and
//! `passwd` do: a grant on a file is one on that file alone. Refuses to take anything back.

use std::path::{Path, PathBuf};

/// What every role may read: libraries and modules of the account database, its files and those of the modules
/// usual for it, names of hosts, time zones, certificates, what processes tell of themselves. What of it is
/// secret is kept by its mode.
const SYSTEM: [&str; 24] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/proc",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/run/host/userdb",
    "/run/userdb",
    "/run/systemd/userdb",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/nscd",
    "/var/cache/nscd",
    "/var/db",
    "/var/lib/extrausers",
    "/var/lib/misc",
    "/var/lib/sss",
    "/var/lib/ca-certificates",
];

/// What is done at a path, and below it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// Files are read, directories listed.
    Read,
    /// Files are read, made, written, replaced and removed; nothing else is made.
    Write,
    /// All that a program may want with files.
    All,
    /// Files are removed.
    Remove,
    /// Programs are started, and read.
    Run,
}

impl Access {
    /// Whether who has this has `other` as well.
    fn includes(self, other: Self) -> bool {
        match self {
            Self::All => true,
            Self::Write => matches!(other, Self::Write | Self::Read | Self::Remove),
            Self::Run => matches!(other, Self::Run | Self::Read),
            Self::Read | Self::Remove => self == other,
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Grant {
    pub(super) path: PathBuf,
    pub(super) access: Access,
    /// Whether somebody named the path, and so expects it to be there.
    named: bool,
}

/// What a role may do. Begins with what all of them need.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    grants: Vec<Grant>,
    network: bool,
    programs: bool,
    children: bool,
}

impl Default for Rules {
    fn default() -> Self {
        let grant = |path: &&str, access| Grant { path: path.into(), access, named: false };
        let mut grants: Vec<_> = SYSTEM.iter().map(|path| grant(path, Access::Read)).collect();
        grants.push(grant(&"/dev/null", Access::Write));
        Self { grants, network: false, programs: false, children: false }
    }
}

impl Rules {
    /// Lets it read a file, or all below a directory.
    #[must_use]
    pub fn read(self, path: &Path) -> Self {
        self.grant(path, Access::Read)
    }

    /// Lets it read a file, whatever takes its place, and what is beside it; also where a link leads.
    #[must_use]
    pub fn read_beside(self, file: &Path) -> Self {
        let real = std::fs::canonicalize(file).ok();
        let real = real.as_deref().and_then(Path::parent).map(Path::to_owned);
        let named = self.read(directory_of(file));
        match real {
            Some(real) => named.read(&real),
            None => named,
        }
    }

    /// Lets it make, change and remove files in a directory.
    #[must_use]
    pub fn write(self, directory: &Path) -> Self {
        self.grant(directory, Access::Write)
    }

    /// Lets it remove a file that it has made before.
    #[must_use]
    pub fn remove(self, file: &Path) -> Self {
        self.grant(directory_of(file), Access::Remove)
    }

    /// Lets it use IPv4 and IPv6; without, Unix sockets alone.
    #[must_use]
    pub fn network(self) -> Self {
        Self { network: true, ..self }
    }

    /// Lets it run any program, which gets what this process has, reads what its user may, and writes in
    /// directories for temporary files.
    #[must_use]
    pub fn programs(self) -> Self {
        let open = self.grant(Path::new("/"), Access::Run);
        let open = ["/tmp", "/var/tmp", "/dev/shm"]
            .into_iter()
            .fold(open, |rules, path| rules.system(path, Access::All));
        Self { programs: true, ..open }
    }

    /// Lets it look after processes that it has started before.
    #[must_use]
    pub fn children(self) -> Self {
        Self { children: true, ..self }
    }

    pub(super) fn grants(&self) -> &[Grant] {
        &self.grants
    }

    pub(super) fn has_network(&self) -> bool {
        self.network
    }

    pub(super) fn has_programs(&self) -> bool {
        self.programs
    }

    pub(super) fn has_children(&self) -> bool {
        self.children || self.programs
    }

    /// Named paths that do not exist, and lie below nothing else that is granted.
    pub(super) fn absent(&self) -> Vec<PathBuf> {
        let missing = self.grants.iter().filter(|grant| grant.named && !grant.path.exists());
        let alone = missing.filter(|grant| {
            let others = self.grants.iter().filter(|other| other.path != grant.path);
            !others.into_iter().any(|other| other.path.exists() && holds(other, grant))
        });
        alone.map(|grant| grant.path.clone()).collect()
    }

    /// What of `wanted` these do not hold, in words.
    pub(super) fn lack(&self, wanted: &Self) -> Vec<String> {
        let paths = wanted.grants.iter().filter(|grant| !self.grants.iter().any(|own| holds(own, grant)));
        let paths = paths.map(|grant| grant.path.display().to_string());
        let others = [
            ("the network", wanted.network && !self.network),
            ("other programs", wanted.programs && !self.programs),
        ];
        paths
            .chain(others.into_iter().filter(|(_, lacking)| *lacking).map(|(what, _)| what.to_owned()))
            .collect()
    }

    fn grant(mut self, path: &Path, access: Access) -> Self {
        self.grants.push(Grant { path: path.to_owned(), access, named: true });
        self
    }

    fn system(mut self, path: &str, access: Access) -> Self {
        self.grants.push(Grant { path: path.into(), access, named: false });
        self
    }
}

fn holds(own: &Grant, wanted: &Grant) -> bool {
    wanted.path.starts_with(&own.path) && own.access.includes(wanted.access)
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reload_may_not_have_is_told() {
        let granted = Rules::default().read(Path::new("/srv/a")).write(Path::new("/srv/b"));
        let wanted = |rules: Rules| granted.lack(&rules);
        assert!(wanted(Rules::default().read(Path::new("/etc/mfad/token"))).is_empty());
        assert!(wanted(Rules::default().read(Path::new("/srv/a/deeper"))).is_empty());
        assert!(wanted(Rules::default().read(Path::new("/srv/b"))).is_empty());
        assert_eq!(wanted(Rules::default().write(Path::new("/srv/a"))), ["/srv/a"]);
        assert_eq!(wanted(Rules::default().read(Path::new("/srv/ab"))), ["/srv/ab"]);
        assert_eq!(wanted(Rules::default().network()), ["the network"]);
        let programs = wanted(Rules::default().programs());
        assert!(programs.contains(&"other programs".to_owned()) && programs.contains(&"/".to_owned()));
    }

    #[test]
    fn what_is_not_there_is_told_unless_it_lies_where_it_is_granted_anyway() {
        let directory = tempfile::tempdir().unwrap();
        let (there, absent) = (directory.path().join("there"), directory.path().join("absent"));
        std::fs::create_dir(&there).unwrap();
        let rules = Rules::default()
            .write(&there)
            .write(&absent)
            .read(&there.join("later"))
            .read(Path::new("/etc/none"));
        assert_eq!(rules.absent(), [absent]);
    }

    #[test]
    fn what_a_link_leads_to_is_granted_as_well() {
        let directory = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(directory.path()).unwrap();
        for name in ["etc", "store"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        std::fs::write(root.join("store/m.toml"), "").unwrap();
        std::os::unix::fs::symlink(root.join("store/m.toml"), root.join("etc/m.toml")).unwrap();
        let rules = Rules::default().read_beside(&root.join("etc/m.toml"));
        assert!(rules.lack(&Rules::default().read(&root.join("etc")).read(&root.join("store"))).is_empty());
    }
}
