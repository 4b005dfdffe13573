//! A portal of `LemonLDAP::NG`, as Debian ships it, whose second factor is mfad: a person logs in to it as by a
//! browser. It has a session when password and code were right, and in no other case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs::{self, File},
    net::TcpStream,
    os::unix::fs::chown,
    path::Path,
    process::{Child, Command, Stdio},
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    gateway::Gateway,
    otp::Seed,
    phone::{NUMBER, code_in, enroll_phone, sms_section, takes_all, wait_out_the_interval},
    sys::{run_with, unix_now, wait_until},
    web::Web,
    world::{self, PLACE, World},
};
use serde_json::{Value, json};

const ADDRESS: &str = "127.0.0.1:8888";
const PROGRAM: &str = "/usr/share/lemonldap-ng/portal/htdocs/index.psgi";

/// What the portal says in the place of a text, by number.
const BAD_PASSWORD: &str = "trmsg=\"5\"";
const BAD_CODE: &str = "trmsg=\"96\"";
const TROUBLE: &str = "trmsg=\"24\"";

/// As docs/compat.md has it.
const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8080"
dialects = { lemonldap = "/" }

[[web.client]]
name = "portal"
rights = ["verify"]
user = "portal"
password = "portal-password"
password_proven = true
"#;

/// A running portal with its demonstration accounts (`dwho`, password `dwho`); ended when dropped.
struct Portal(Child);

/// As docs/compat.md has them for a portal that asks mfad for codes.
fn settings() -> Value {
    serde_json::from_str(include_str!("../fronts/lmConf-1.json")).unwrap()
}

/// The same for a portal that makes its codes itself, and sends one again after ten seconds.
fn settings_with_codes() -> Value {
    let mut settings = settings();
    for unused in ["rest2fVerifyUrl", "rest2fVerifyArgs"] {
        assert!(settings.as_object_mut().unwrap().remove(unused).is_some());
    }
    settings["rest2fCodeActivation"] = json!("[A-Z]{3}\\d{5}");
    settings["rest2fResendInterval"] = json!(10);
    settings
}

impl Portal {
    fn start(world: &World, settings: &Value) -> Self {
        assert!(Path::new(PROGRAM).exists(), "the portal is not installed: `make test-fronts` does that");
        let account = world.add_service_user("portal");
        for name in ["cache", "conf", "sessions", "psessions"] {
            let directory = Path::new("/var/lib/lemonldap-ng").join(name);
            fs::create_dir_all(&directory).unwrap();
            chown(&directory, Some(account.uid), None).unwrap();
        }
        let ini = "/var/lib/lemonldap-ng/lemonldap-ng.ini";
        fs::write(ini, include_str!("../fronts/lemonldap-ng.ini")).unwrap();
        fs::write("/var/lib/lemonldap-ng/conf/lmConf-1.json", settings.to_string()).unwrap();

        let (host, port) = ADDRESS.split_once(':').unwrap();
        let output = File::create(output()).unwrap();
        let mut command = account.command("plackup");
        command.args(["--host", host, "--port", port, PROGRAM]).env("LLNG_DEFAULTCONFFILE", ini);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut portal = Self(command.spawn().unwrap());
        wait_until("the portal takes connections", || {
            let ended = portal.0.try_wait().unwrap();
            assert!(ended.is_none(), "the portal ended at once:\n{}", said());
            TcpStream::connect(ADDRESS).is_ok()
        });
        portal
    }
}

fn output() -> String {
    format!("{PLACE}/portal.out")
}

fn said() -> String {
    fs::read_to_string(output()).unwrap_or_default()
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A browser at the portal, with cookies of its own.
struct Browser {
    jar: String,
    /// The page that is shown.
    page: String,
}

impl Browser {
    /// Opens the portal.
    fn open(name: &str) -> Self {
        let mut browser = Self { jar: format!("/tmp/{name}.cookies"), page: String::new() };
        browser.page = browser.ask("/", &[]);
        assert!(browser.page.contains("name=\"password\""), "{}", browser.page);
        browser
    }

    /// What the portal answers; redirections are not followed.
    fn ask(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--cookie", &self.jar, "--cookie-jar", &self.jar]);
        for (name, value) in fields {
            curl.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        run_with(curl.arg(format!("http://{ADDRESS}{path}")), "").ok()
    }

    /// Sends the form that is shown: its hidden token and these fields.
    fn send(&mut self, path: &str, fields: &[(&str, &str)]) {
        let (_, token) = self.page.split_once("name=\"token\" value=\"").expect("a form is shown");
        let (token, _) = token.split_once('"').unwrap();
        let fields = [&[("token", token)], fields].concat();
        self.page = self.ask(path, &fields);
    }

    fn password(&mut self, password: &str) {
        self.send("/", &[("user", "dwho"), ("password", password)]);
    }

    fn is_asked_for_a_code(&self) -> bool {
        self.page.contains("action=\"/rest2fcheck") && self.page.contains("name=\"code\"")
    }

    fn code(&mut self, code: &str) {
        self.send("/rest2fcheck", &[("code", code)]);
    }

    /// Has the code of this form sent again.
    fn resend(&mut self) {
        self.send("/rest2fresend", &[]);
        assert!(self.is_asked_for_a_code(), "{}\n{}", self.page, said());
    }

    /// Whose session this is, by what the portal says of its cookie.
    fn session(&self) -> Option<String> {
        let told = self.ask("/mysession/?whoami", &[]);
        // Whoever has none gets the login page.
        let told: Value = serde_json::from_str(&told).ok()?;
        told["result"].as_str().map(str::to_owned)
    }

    #[track_caller]
    fn is_not_let_in(&self, sign: &str) {
        assert!(self.page.contains(sign), "{sign} is not in {}\n{}", self.page, said());
        assert_eq!(self.session(), None, "{}", said());
        let cookies = fs::read_to_string(&self.jar).unwrap_or_default();
        assert!(!cookies.contains("lemonldap"), "{cookies}");
    }
}

/// A person who has proven the password and sees the form for the code.
#[track_caller]
fn at_the_form(name: &str) -> Browser {
    let mut browser = Browser::open(name);
    browser.password("dwho");
    assert!(browser.is_asked_for_a_code(), "{}\n{}", browser.page, said());
    assert_eq!(browser.session(), None, "the password alone is no login");
    browser
}

#[track_caller]
fn logs_in(name: &str, daemon: &Daemon, code: &str) {
    daemon.wait_out_short_waits("dwho");
    let mut browser = at_the_form(name);
    browser.code(code);
    assert_eq!(browser.session().as_deref(), Some("dwho"), "{}\n{}", browser.page, said());
}

fn fronted(world: &World) -> (Daemon, Web, Seed) {
    let (daemon, web) = fronted_by(world, CONFIG);
    let seed = Seed::of("dwho");
    daemon.enroll_hotp("dwho", &seed, 0);
    (daemon, web, seed)
}

fn fronted_by(world: &World, config: &str) -> (Daemon, Web) {
    world.add_quick_user("dwho");
    let mut web = Web::new(world, "127.0.0.1:8080");
    web.credential("portal-password", "portal-secret");
    let daemon = Setup::as_root().section(config).start();
    web.begin(&daemon);
    (daemon, web)
}

/// A front with these rights for a portal that makes its codes itself, and dwho with a telephone to which nothing
/// has gone for a while.
fn fronted_for_codes(world: &World, rights: &str) -> (Daemon, Web, Egress, Gateway) {
    let gateway = takes_all();
    let sms = sms_section(&[("lab", &gateway)], "resend_interval = \"10s\"");
    let config = CONFIG.replace("[\"verify\"]", rights);
    let (daemon, web) =
        fronted_by(world, &format!("{config}{sms}[log]\ntarget = \"stderr\"\nlevel = \"debug\"\n"));
    let egress = Egress::start(world, &daemon);
    enroll_phone(&daemon, &gateway, "dwho");
    wait_out_the_interval();
    (daemon, web, egress, gateway)
}

/// Puts the configuration in force with one thing changed.
#[track_caller]
fn change(daemon: &Daemon, before: &str, after: &str) {
    let text = fs::read_to_string(&daemon.config).unwrap();
    assert!(text.contains(before), "{text}");
    fs::write(&daemon.config, text.replace(before, after)).unwrap();
    daemon.ctl(&["reload"]).ok();
}

/// Whether a text is what the portal's settings have codes look like.
fn is_of_the_portal(code: &str) -> bool {
    let (letters, digits) = code.split_at(3);
    digits.len() == 5
        && letters.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn a_portal_lets_in_who_has_password_and_code() {
    world::enter("a_portal_lets_in_who_has_password_and_code", |world| {
        let (daemon, _web, seed) = fronted(world);
        let _portal = Portal::start(world, &settings());

        let mut browser = Browser::open("no-password");
        browser.password("wrong");
        assert!(!browser.is_asked_for_a_code(), "{}", browser.page);
        browser.is_not_let_in(BAD_PASSWORD);
        assert_eq!(daemon.failures("dwho"), 0, "mfad is asked only when the password was right");

        let mut browser = at_the_form("wrong");
        browser.code(&seed.wrong());
        browser.is_not_let_in(BAD_CODE);
        let mut browser = at_the_form("none");
        browser.code(" ");
        browser.is_not_let_in(BAD_CODE);

        logs_in("right", &daemon, &seed.hotp(0));
        let row = daemon.audit("dwho").pop().unwrap();
        assert_eq!((&row["verdict"], &row["client"]), (&"accept".into(), &"portal".into()), "{row}");
        assert_eq!(row["source"], "127.0.0.1", "where the browser is: {row}");

        let mut browser = at_the_form("replayed");
        browser.code(&seed.hotp(0));
        browser.is_not_let_in(BAD_CODE);
        logs_in("next", &daemon, &seed.hotp(1));
    });
}

#[test]
fn a_portal_lets_nobody_in_while_mfad_is_away() {
    world::enter("a_portal_lets_nobody_in_while_mfad_is_away", |world| {
        let (mut daemon, mut web, seed) = fronted(world);
        let _portal = Portal::start(world, &settings());

        let mut browser = at_the_form("web-goes");
        web.kill();
        browser.code(&seed.hotp(0));
        browser.is_not_let_in(TROUBLE);
        // The portal shows its form though nothing could be begun; what is put in there must not help.
        let mut browser = at_the_form("web-is-gone");
        browser.code(&seed.hotp(0));
        browser.is_not_let_in(TROUBLE);
        web.begin(&daemon);

        let mut browser = at_the_form("core-goes");
        daemon.kill();
        browser.code(&seed.hotp(0));
        browser.is_not_let_in(TROUBLE);
        let mut browser = at_the_form("core-is-gone");
        browser.code(&seed.hotp(0));
        browser.is_not_let_in(TROUBLE);
        daemon.begin();

        logs_in("back", &daemon, &seed.hotp(0));
    });
}

#[test]
fn a_portal_that_makes_its_codes_has_them_sent_and_judges_them() {
    world::enter("a_portal_that_makes_its_codes_has_them_sent_and_judges_them", |world| {
        let (daemon, _web, _egress, gateway) = fronted_for_codes(world, "[\"deliver\"]");
        let _portal = Portal::start(world, &settings_with_codes());

        let mut browser = Browser::open("no-password");
        browser.password("wrong");
        browser.is_not_let_in(BAD_PASSWORD);
        assert_eq!(gateway.received().len(), 1, "nothing is sent to whom has not proven the password");

        let mut browser = at_the_form("right");
        let message = gateway.wait_for(2).pop().unwrap();
        assert_eq!(message.json()["to"], NUMBER);
        let code = code_in(&message);
        assert!(is_of_the_portal(&code), "{message:?}");
        browser.code(&code);
        assert_eq!(browser.session().as_deref(), Some("dwho"), "{}\n{}", browser.page, said());
        let row = daemon.audit("dwho").pop().unwrap();
        let told =
            ["event", "verdict", "reason", "client", "source"].map(|field| row[field].as_str().unwrap());
        assert_eq!(told, ["deliver", "done", "sms", "portal", "127.0.0.1"], "{row}");
        for text in [row.to_string(), daemon.output(), Web::output(), Egress::output()] {
            assert!(!text.is_empty() && !text.contains(&code), "{text}");
        }

        // Another form has another code, and within the interval none is sent.
        change(&daemon, "\"10s\"", "\"5m\"");
        let mut browser = at_the_form("late");
        browser.code(&code);
        browser.is_not_let_in(BAD_CODE);
        let mut browser = at_the_form("again");
        let shown = unix_now();
        assert_eq!(gateway.received().len(), 2);
        assert_eq!(daemon.audit("dwho").pop().unwrap()["reason"], "too_soon");
        change(&daemon, "\"5m\"", "\"10s\"");
        wait_until("the portal sends a code again", || unix_now() > shown + 11);
        browser.resend();
        let second = code_in(&gateway.wait_for(3).pop().unwrap());
        assert!(is_of_the_portal(&second) && second != code, "{second}");
        browser.code(&second);
        assert_eq!(browser.session().as_deref(), Some("dwho"), "{}\n{}", browser.page, said());

        assert_eq!(daemon.failures("dwho"), 0, "the portal judges alone, and nobody counts here");
        let logins = daemon.audit("dwho").iter().filter(|row| row["event"] == "login").count();
        assert_eq!(logins, 0);
    });
}

#[test]
fn a_portal_that_may_not_have_its_codes_sent_lets_nobody_in() {
    world::enter("a_portal_that_may_not_have_its_codes_sent_lets_nobody_in", |world| {
        let (daemon, mut web, mut egress, gateway) = fronted_for_codes(world, "[\"verify\"]");
        let _portal = Portal::start(world, &settings_with_codes());
        let mut browser = at_the_form("without-the-right");
        assert_eq!(gateway.received().len(), 1, "the number was proven by it");
        assert!(Web::output().contains("the right \"deliver\""), "{}", Web::output());
        browser.code("AAA00000");
        browser.is_not_let_in(BAD_CODE);

        // With the right, and nobody to send it.
        change(&daemon, "[\"verify\"]", "[\"deliver\"]");
        web.kill();
        web.begin(&daemon);
        egress.kill();
        let mut browser = at_the_form("nobody-sends");
        browser.code("AAA00000");
        browser.is_not_let_in(BAD_CODE);
        assert_eq!(daemon.audit("dwho").pop().unwrap()["reason"], "undelivered");
        assert_eq!(gateway.received().len(), 1);
    });
}
