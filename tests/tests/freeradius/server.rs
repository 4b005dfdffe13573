//! FreeRADIUS by itself, set up by blocks of the documents, and what it answers. Refuses to take silence for a no.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use mfa_tests::{
    sys::{must, run_with, wait_until},
    web::{COMPAT, WEB, documented},
    world::PLACE,
};

/// All around what the documents say: who may ask the server, and where it listens.
const SERVER: &str = r"
prefix = /usr
localstatedir = /var
libdir = /usr/lib/freeradius
logdir = /run/world/radius
run_dir = /run/world/radius
pidfile = /run/world/radius/pid
log {
    destination = stdout
    auth = yes
}
security {
    reject_delay = 0
}
thread pool {
    start_servers = 1
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
}
client loopback {
    ipaddr = 127.0.0.1
    secret = shared-with-radius
}
modules {
    $INCLUDE rest
    $INCLUDE /etc/freeradius/3.0/mods-available/always
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = 1812
    }
    $INCLUDE site
}
";

/// What the documents have an administrator write.
pub(crate) struct Settings {
    module: String,
    site: String,
}

impl Settings {
    /// To ask `/v1/verify/status`.
    pub(crate) fn status() -> Self {
        Self::of(WEB, "### FreeRADIUS")
    }

    /// To ask `/validate/check`.
    pub(crate) fn check() -> Self {
        Self::of(COMPAT, "### FreeRADIUS before `/validate/check`")
    }

    /// To ask `/validate/simplecheck`: the two changes that the document names.
    pub(crate) fn simplecheck() -> Self {
        let Self { module, site } = Self::check();
        let module = module.replace("/validate/check", "/validate/simplecheck");
        let (before, rest) = site.split_once(" =~ /").unwrap();
        let (_, after) = rest.split_once("$/) {").unwrap();
        Self { module, site: format!("{before} == \":-)\") {{{after}") }
    }

    fn of(document: &str, heading: &str) -> Self {
        let [module, site] = documented(document, heading);
        Self { module, site: site.replace('…', "radius-secret") }
    }

    /// To ask there, in the place of `https://host.example.org:8443`.
    pub(crate) fn before(self, uri: &str) -> Self {
        Self { module: self.module.replace("https://host.example.org:8443", uri), ..self }
    }
}

/// A running server; ended when dropped.
pub(crate) struct Radius(Child);

impl Radius {
    pub(crate) fn start(settings: &Settings) -> Self {
        assert!(
            Path::new("/usr/sbin/freeradius").exists(),
            "FreeRADIUS is not installed: `make test-fronts` does that"
        );
        let directory = Path::new(PLACE).join("radius");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("rest"), &settings.module).unwrap();
        fs::write(directory.join("site"), &settings.site).unwrap();
        fs::write(directory.join("radiusd.conf"), SERVER).unwrap();
        let output = File::create(output()).unwrap();
        let mut command = Command::new("freeradius");
        command.args(["-X", "-n", "radiusd", "-d"]).arg(&directory);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut radius = Self(command.spawn().unwrap());
        wait_until("the server is ready", || {
            assert!(radius.0.try_wait().unwrap().is_none(), "the server ended at once:\n{}", said());
            said().contains("Ready to process requests")
        });
        radius
    }
}

fn output() -> String {
    format!("{PLACE}/radius.out")
}

pub(crate) fn said() -> String {
    fs::read_to_string(output()).unwrap_or_default()
}

impl Drop for Radius {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Accept,
    Reject,
}

/// What the server answers to these attributes.
#[track_caller]
pub(crate) fn ask(attributes: &str) -> Answer {
    let mut radclient = Command::new("radclient");
    // One try, so that what is counted is counted once.
    radclient.args(["-x", "-r", "1", "-t", "30", "127.0.0.1:1812", "auth", "shared-with-radius"]);
    let ran = run_with(&mut radclient, attributes);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    match (all.contains("Received Access-Accept"), all.contains("Received Access-Reject")) {
        (true, false) => Answer::Accept,
        (false, true) => Answer::Reject,
        _ => panic!("the server did not answer: {all}\n{}", said()),
    }
}

pub(crate) fn login(user: &str, code: &str) -> Answer {
    login_from("203.0.113.9", user, code)
}

pub(crate) fn login_from(source: &str, user: &str, code: &str) -> Answer {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    ask(&format!(
        "User-Name = \"{}\"\nUser-Password = \"{}\"\nCalling-Station-Id = \"{source}\"\n",
        quoted(user),
        quoted(code)
    ))
}

/// The status that the server was last answered by mfad-web, for a `login` that must be rejected.
#[track_caller]
pub(crate) fn rejected_with(user: &str, code: &str) -> u16 {
    let before = said().len();
    assert_eq!(login(user, code), Answer::Reject, "{}", said());
    let said = said();
    let (_, new) = said.split_at(before);
    let (_, status) = new.rsplit_once("reply:REST-HTTP-Status-Code = \"").expect("it has asked");
    status.split_once('"').unwrap().0.parse().unwrap()
}

/// A key and a certificate for `host.example.org`, which is this host, and which the server trusts.
pub(crate) fn certify() {
    fs::create_dir_all("/etc/mfad/web").unwrap();
    fs::create_dir_all("/etc/freeradius").unwrap();
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    fs::write("/etc/hosts", format!("127.0.0.1 host.example.org\n{hosts}")).unwrap();
    let names = ["subjectAltName=DNS:host.example.org", "basicConstraints=critical,CA:FALSE"];
    let mut words = vec!["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=host.example.org"];
    words.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    words.extend(["-addext", names[0], "-addext", names[1]]);
    words.extend(["-keyout", "/etc/mfad/web/key.pem", "-out", "/etc/mfad/web/cert.pem"]);
    must(&words);
    fs::copy("/etc/mfad/web/cert.pem", "/etc/freeradius/mfad-ca.pem").unwrap();
}
