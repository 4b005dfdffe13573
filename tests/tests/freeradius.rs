//! FreeRADIUS, as Debian ships it and set up as docs/web.md says, before mfad-web with TLS: a right code is an
//! `Access-Accept` once, and nothing else is; `pam_radius_auth.so` asks it in turn.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    gateway::Gateway,
    otp::Seed,
    pam,
    sys::{must, run_with, wait_until},
    web::{Web, documented},
    world::{self, PLACE, World},
};

const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8443"
certificate = "/etc/mfad/web/cert.pem"
key = "/etc/mfad/web/key.pem"

[[web.client]]
name = "radius"
rights = ["verify"]
token = "radius-token"
"#;

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

/// A running server; ended when dropped.
struct Radius(Child);

impl Radius {
    fn start() -> Self {
        Self::before("https://host.example.org:8443")
    }

    /// One that asks there.
    fn before(uri: &str) -> Self {
        assert!(
            Path::new("/usr/sbin/freeradius").exists(),
            "FreeRADIUS is not installed: `make test-fronts` does that"
        );
        let directory = Path::new(PLACE).join("radius");
        fs::create_dir(&directory).unwrap();
        let [module, site] = documented("### FreeRADIUS");
        let module = module.replace("https://host.example.org:8443", uri);
        fs::write(directory.join("rest"), module).unwrap();
        fs::write(directory.join("site"), site.replace('…', "radius-secret")).unwrap();
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

fn said() -> String {
    fs::read_to_string(output()).unwrap_or_default()
}

impl Drop for Radius {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Accept,
    Reject,
}

/// What the server answers to these attributes.
#[track_caller]
fn ask(attributes: &str) -> Answer {
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

fn login(user: &str, code: &str) -> Answer {
    login_from("203.0.113.9", user, code)
}

fn login_from(source: &str, user: &str, code: &str) -> Answer {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    ask(&format!(
        "User-Name = \"{}\"\nUser-Password = \"{}\"\nCalling-Station-Id = \"{source}\"\n",
        quoted(user),
        quoted(code)
    ))
}

/// The status that the server was last answered by mfad-web, for a `login` that must be rejected.
#[track_caller]
fn rejected_with(user: &str, code: &str) -> u16 {
    let before = said().len();
    assert_eq!(login(user, code), Answer::Reject, "{}", said());
    let said = said();
    let (_, new) = said.split_at(before);
    let (_, status) = new.rsplit_once("reply:REST-HTTP-Status-Code = \"").expect("it has asked");
    status.split_once('"').unwrap().0.parse().unwrap()
}

/// A key and a certificate for `host.example.org`, which is this host, and which the server trusts.
fn certify() {
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

fn fronted(world: &World) -> (Daemon, Web, Seed) {
    fronted_with(world, "")
}

fn fronted_with(world: &World, limits: &str) -> (Daemon, Web, Seed) {
    world.add_quick_user("jane");
    let mut web = Web::new(world, "127.0.0.1:8443");
    web.credential("radius-token", "radius-secret");
    certify();
    web.own(Path::new("/etc/mfad/web/key.pem"));
    let daemon = Setup::as_root().section(CONFIG).section(limits).start();
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    web.begin(&daemon);
    (daemon, web, seed)
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn radius_accepts_a_right_code_once_and_nothing_else() {
    world::enter("radius_accepts_a_right_code_once_and_nothing_else", |world| {
        let (daemon, _web, seed) = fronted(world);
        let _radius = Radius::start();
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Accept, "{}", said());
        let row = daemon.audit("jane").pop().unwrap();
        assert_eq!((&row["verdict"], &row["client"]), (&"accept".into(), &"radius".into()), "{row}");
        assert_eq!(row["source"], "203.0.113.9", "where the person is: {row}");

        assert_eq!(rejected_with("jane", &seed.hotp(0)), 401, "a used code");
        assert_eq!(rejected_with("jane", &seed.wrong()), 401, "a wrong code");
        daemon.wait_out_short_waits("jane");
        assert_eq!(rejected_with("nobody", &seed.hotp(1)), 401);
        // Neither name nor password can change what is asked.
        let smuggled = format!("0\",\"user\":\"jane\",\"code\":\"{}", seed.hotp(1));
        assert_eq!(rejected_with("nobody", &smuggled), 401);
        assert_eq!(ask("User-Name = \"jane\"\n"), Answer::Reject, "no password");
        assert_eq!(ask("User-Name = \"jane\"\nUser-Password = \"\"\n"), Answer::Reject, "an empty one");
        let chap = format!("User-Name = \"jane\"\nCHAP-Password = \"{}\"\n", seed.hotp(1));
        assert_eq!(ask(&chap), Answer::Reject, "it cannot be judged");
        assert_eq!(login("jane", &seed.hotp(1)), Answer::Accept, "none of these used it up: {}", said());
    });
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn radius_rejects_right_codes_of_who_is_locked() {
    world::enter("radius_rejects_right_codes_of_who_is_locked", |world| {
        let (daemon, _web, seed) = fronted(world);
        let _radius = Radius::start();
        // Nobody proved a password to this client: three wrong codes are its budget.
        for status in [401, 401, 403] {
            daemon.wait_out_short_waits("jane");
            assert_eq!(rejected_with("jane", &seed.wrong()), status);
        }
        assert_eq!(rejected_with("jane", &seed.hotp(0)), 403);
        daemon.ctl(&["unlock", "jane"]).ok();
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Accept, "{}", said());
    });
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn radius_rejects_right_codes_from_where_too_many_wrong_ones_came() {
    world::enter("radius_rejects_right_codes_from_where_too_many_wrong_ones_came", |world| {
        let (daemon, _web, seed) = fronted_with(world, "[limits]\nsource_failures = 1\n");
        let _radius = Radius::start();
        assert_eq!(rejected_with("jane", &seed.wrong()), 401);
        daemon.wait_out_short_waits("jane");
        assert_eq!(rejected_with("jane", &seed.hotp(0)), 403);
        let elsewhere = login_from("198.51.100.7", "jane", &seed.hotp(0));
        assert_eq!(elsewhere, Answer::Accept, "that is about the person's address: {}", said());
    });
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn radius_rejects_all_while_mfad_is_away_and_recovers() {
    world::enter("radius_rejects_all_while_mfad_is_away_and_recovers", |world| {
        let (mut daemon, mut web, seed) = fronted(world);
        web.kill();
        let _radius = Radius::start();
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Reject, "the server starts without mfad-web");
        web.begin(&daemon);
        // It tries to connect again a second after it could not.
        wait_until("the server asks again", || login("jane", &seed.hotp(0)) == Answer::Accept);

        daemon.kill();
        assert_eq!(rejected_with("jane", &seed.hotp(1)), 503);
        daemon.begin();
        assert_eq!(login("jane", &seed.hotp(1)), Answer::Accept, "{}", said());

        web.kill();
        assert_eq!(login("jane", &seed.hotp(2)), Answer::Reject);
        // Whoever answers in its place without its key is not asked.
        certify();
        web.own(Path::new("/etc/mfad/web/key.pem"));
        fs::copy("/etc/ssl/certs/ca-certificates.crt", "/etc/freeradius/mfad-ca.pem").unwrap();
        web.begin(&daemon);
        assert_eq!(login("jane", &seed.hotp(2)), Answer::Reject, "its certificate is not trusted");
    });
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn radius_takes_204_for_a_yes_and_no_other_status_that_mfad_has() {
    world::enter("radius_takes_204_for_a_yes_and_no_other_status_that_mfad_has", |_world| {
        certify();
        // Stands for mfad-web, to have all that it can answer: the code is the status.
        let gateway = Gateway::start(|asked| {
            let code = asked.json()["code"].as_str().unwrap().to_owned();
            (code.parse().unwrap(), String::new())
        });
        let _radius = Radius::before(&gateway.url(""));
        for status in [400, 401, 403, 404, 405, 413, 415, 429, 500, 503] {
            assert_eq!(rejected_with("jane", &status.to_string()), status);
        }
        assert_eq!(login("jane", "204"), Answer::Accept, "{}", said());
    });
}

/// `pamtester` with an answer to the one question; whether it was let in.
fn pamtester(code: &str) -> bool {
    let mut command = Command::new("pamtester");
    let ran = run_with(command.args(["radius-app", "jane", "authenticate"]), &format!("{code}\n"));
    let passed = ran.stdout.contains("successfully authenticated") || ran.stderr.contains("successfully");
    assert_eq!(passed, ran.code == Some(0), "{ran:?}");
    passed
}

#[test]
#[ignore = "needs FreeRADIUS: make test-fronts"]
fn a_pam_stack_that_asks_radius_takes_right_codes_alone() {
    world::enter("a_pam_stack_that_asks_radius_takes_right_codes_alone", |world| {
        let (daemon, mut web, seed) = fronted(world);
        let radius = Radius::start();
        fs::write("/etc/pam_radius_auth.conf", "127.0.0.1:1812 shared-with-radius 3\n").unwrap();
        pam::service("radius-app", &["auth required pam_radius_auth.so"]);
        assert!(pamtester(&seed.hotp(0)), "{}", said());
        assert!(!pamtester(&seed.hotp(0)), "a used code");
        daemon.wait_out_short_waits("jane");
        assert!(!pamtester(&seed.wrong()));
        daemon.wait_out_short_waits("jane");
        web.kill();
        assert!(!pamtester(&seed.hotp(1)), "mfad-web is away");
        web.begin(&daemon);
        assert!(pamtester(&seed.hotp(1)), "{}", said());
        drop(radius);
        assert!(!pamtester(&seed.hotp(2)), "the server is away");
    });
}
