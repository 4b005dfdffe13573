//! nginx, as Debian ships it and set up as docs/web.md says, before mfad-web at a Unix socket: what it guards is
//! shown for a right code, once, and for nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use mfa_tests::{
    daemon::Setup,
    otp::Seed,
    sys::{must, run_with, wait_until},
    web::{WEB, Web, documented},
    world::{self, PLACE, World},
};

const ADDRESS: &str = "127.0.0.1:80";

const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8080"

[[web.listen]]
socket = "/run/mfad-web/http.sock"
trusted_proxies = ["127.0.0.1"]

[[web.client]]
name = "wiki"
rights = ["verify"]
token = "wiki-token"
"#;

/// A running nginx with what it guards; ended when dropped.
struct Nginx(Child);

impl Nginx {
    fn start() -> Self {
        assert!(
            Path::new("/usr/sbin/nginx").exists(),
            "nginx is not installed: `make test-fronts` does that"
        );
        must(&["usermod", "-aG", "mfad-web", "www-data"]);
        let site = Path::new(PLACE).join("site/private");
        fs::create_dir_all(&site).unwrap();
        fs::create_dir_all("/var/lib/nginx").unwrap();
        fs::create_dir_all("/etc/nginx").unwrap();
        fs::write(site.join("page"), "what is guarded").unwrap();
        fs::write("/etc/nginx/passwords", "jane:{PLAIN}hunter2\n").unwrap();
        let [locations] = documented(WEB, "### nginx");
        let locations = locations.replace('…', "wiki-secret");
        let settings = format!(
            "user www-data;\ndaemon off;\npid {PLACE}/nginx.pid;\nerror_log {PLACE}/nginx.err;\nevents {{}}\n\
             http {{ access_log off; server {{ listen {ADDRESS}; root {PLACE}/site; {locations} }} }}\n"
        );
        let path = Path::new(PLACE).join("nginx.conf");
        fs::write(&path, settings).unwrap();
        let mut nginx =
            Self(Command::new("nginx").arg("-c").arg(&path).stdin(Stdio::null()).spawn().unwrap());
        wait_until("nginx takes connections", || {
            assert!(nginx.0.try_wait().unwrap().is_none(), "nginx ended at once: {}", errors());
            TcpStream::connect(ADDRESS).is_ok()
        });
        nginx
    }
}

fn errors() -> String {
    fs::read_to_string(format!("{PLACE}/nginx.err")).unwrap_or_default()
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its first process ends the others when it is told to.
        let id = i32::try_from(self.0.id()).unwrap();
        kill(Pid::from_raw(id), Signal::SIGTERM).ok();
        self.0.wait().ok();
    }
}

/// Status and text of the page, for whoever says so.
fn page(password: &str, headers: &[&str]) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--write-out", "\n%{http_code}", "--user", password]);
    curl.args(headers.iter().flat_map(|header| ["--header", header]));
    let said = run_with(curl.arg(format!("http://{ADDRESS}/private/page")), "").ok();
    let (text, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), text.to_owned())
}

/// The status with the right password and a code.
fn status(code: &str) -> u16 {
    let (status, text) = page("jane:hunter2", &[&format!("X-Otp: {code}")]);
    assert_eq!(status == 200, text == "what is guarded", "{status}: {text}");
    status
}

#[test]
fn nginx_shows_its_page_for_password_and_code_and_nothing_less() {
    world::enter("nginx_shows_its_page_for_password_and_code_and_nothing_less", |world: &World| {
        world.add_quick_user("jane");
        let mut web = Web::new(world, "127.0.0.1:8080");
        web.credential("wiki-token", "wiki-secret");
        web.run_directory();
        let mut daemon = Setup::as_root().section(CONFIG).start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        web.begin(&daemon);
        let _nginx = Nginx::start();

        assert_eq!(status(&seed.hotp(0)), 200, "{}", errors());
        let row = daemon.audit("jane").pop().unwrap();
        assert_eq!((&row["verdict"], &row["client"]), (&"accept".into(), &"wiki".into()), "{row}");
        assert_eq!(status(&seed.hotp(0)), 401, "a used code");
        assert_eq!(page("jane:hunter2", &[]).0, 401, "no code");
        let (right, user) = (format!("X-Otp: {}", seed.hotp(1)), "X-Mfa-User: jane");
        assert_eq!(page("jane:wrong", &[&right]).0, 401, "a wrong password");
        assert_eq!(page("nobody:hunter2", &[&right, user]).0, 401, "another name");
        assert_eq!(
            page("jane:hunter2", &[&format!("X-Mfa-Code: {}", seed.hotp(1))]).0,
            401,
            "the page's own header"
        );
        assert_eq!(status(&seed.hotp(1)), 200, "none of these used it up: {:?}", daemon.audit("jane"));

        daemon.kill();
        assert_eq!(status(&seed.hotp(2)), 500, "core is away");
        daemon.begin();
        web.kill();
        assert_eq!(status(&seed.hotp(2)), 500, "mfad-web is away");
        web.begin(&daemon);
        for code in [401, 401, 403] {
            daemon.wait_out_short_waits("jane");
            assert_eq!(status(&seed.wrong()), code);
        }
        assert_eq!(status(&seed.hotp(2)), 403, "locked");
        daemon.ctl(&["unlock", "jane"]).ok();
        assert_eq!(status(&seed.hotp(2)), 200, "{}", errors());
    });
}
