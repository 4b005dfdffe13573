//! The login page of Ceptor before web, core and the prover of passwords as they are run: each in a process and an
//! account of its own, passwords of real accounts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    process::Command,
};

use mfa_outside::{SLAPD_PASSWORD, Slapd};
use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    otp::Seed,
    password::Prover,
    sys::run_with,
    web::Web,
    world::{self, Account, PASSWORD, PLACE},
};
use serde_json::{Value, json};

const PREFIX: &str = "http://127.0.0.1:8080/ceptorauthenticateldap/1";

const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8080"
dialects = { ceptor = "/" }
[[web.client]]
name = "portal"
rights = ["verify", "factors:read", "factors:write"]
login_page = true
"#;

/// One call by curl, which keeps the cookies of `page`; its status and body.
fn call(page: &str, (method, path): (&str, &str), body: Option<&Value>) -> (u16, String) {
    let jar = format!("/tmp/{page}.cookies");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--write-out", "\n%{http_code}", "--request", method]);
    curl.args(["--cookie", &jar, "--cookie-jar", &jar]);
    if body.is_some() {
        curl.args(["--header", "Content-Type: application/json", "--data-binary", "@-"]);
    }
    curl.arg(format!("{PREFIX}{path}"));
    let said = run_with(&mut curl, &body.map(Value::to_string).unwrap_or_default()).ok();
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

fn password(page: &str, user: &str, password: &str) -> (u16, String) {
    let body = json!({ "userid": user, "credentials": password });
    call(page, ("POST", "/auth/uidpw"), Some(&body))
}

fn totp(page: &str, code: &str) -> (u16, String) {
    call(page, ("POST", &format!("/auth/verifytotp?code={code}")), None)
}

fn is_logged_on(page: &str) -> bool {
    let (status, told) = call(page, ("GET", "/info"), None);
    assert_eq!(status, 200, "{told}");
    serde_json::from_str::<Value>(&told).unwrap()["logged_on"].as_bool().unwrap()
}

#[test]
fn a_real_password_and_a_code_log_in_and_nothing_less() {
    world::enter("a_real_password_and_a_code_log_in_and_nothing_less", |world| {
        world.add_user("jane");
        let mut prover = Prover::start(world, &[]);
        let daemon = Setup::as_root().section(CONFIG).start();
        let seed = Seed::of("jane");
        daemon.enroll_totp("jane", &seed);
        let mut web = Web::of(prover.front.clone(), "127.0.0.1:8080");
        web.begin(&daemon);

        let (status, told) = password("one", "jane", "wrong");
        assert!(status == 401 && told.contains("\"code\":1,"), "{status} {told}");
        let code = seed.totp_now();
        let (status, told) = totp("one", &code);
        assert!(status == 400 && told.contains("\"code\":-1,"), "{status} {told}");
        let (status, told) = password("one", "jane", PASSWORD);
        assert!(
            status == 401 && told.contains("\"code\":15,") && told.contains("[\"totp\"]"),
            "{status} {told}"
        );
        assert!(!is_logged_on("one"));
        assert_eq!(totp("one", &code), (201, String::new()));
        assert!(is_logged_on("one"));
        let row = daemon.audit("jane").pop().unwrap();
        assert_eq!((&row["verdict"], &row["client"]), (&json!("accept"), &json!("portal")), "{row}");
        assert!(world.log().lines(&format!("code={code}")).is_empty(), "the code is in the log");
        assert_eq!(call("one", ("PUT", "/auth/logoff"), None).0, 201);
        assert!(!is_logged_on("one"));

        prover.kill();
        let (status, told) = password("two", "jane", PASSWORD);
        assert!(status == 500 && told.contains("\"code\":4,"), "{status} {told}");
        assert!(!is_logged_on("two"));
    });
}

const DIRECTORY: &str = "/run/mfad-ldap";
const LOOKUP: &str = "marker-lookup-2c77";

/// Egress as it is installed: an account of its own, the credential of its group, a directory of web's group.
fn directory_role(daemon: &Daemon, account: Account, front: &Account) -> Egress {
    let places = format!("{PLACE}/egress");
    let file = format!("{places}/ldap");
    fs::create_dir(&places).unwrap();
    fs::write(&file, format!("{LOOKUP}\n")).unwrap();
    for (path, mode) in [(&places, 0o750), (&file, 0o640)] {
        chown(path, Some(0), Some(account.uid)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(DIRECTORY).unwrap();
    chown(DIRECTORY, Some(account.uid), Some(front.uid)).unwrap();
    fs::set_permissions(DIRECTORY, fs::Permissions::from_mode(0o2750)).unwrap();
    Egress::start_by(daemon, account)
}

#[test]
fn a_password_of_the_directory_and_a_code_log_in_and_nothing_less() {
    world::enter("a_password_of_the_directory_and_a_code_log_in_and_nothing_less", |world| {
        world.add_user("jane");
        let (front, outside) = (world.add_service_user("mfad-web"), world.add_service_user("mfad-egress"));
        let slapd = Slapd::start(LOOKUP, None);
        let ldap = format!(
            "[egress]\ncredentials_dir = \"{PLACE}/egress\"\n[ldap]\nservers = [\"127.0.0.1\"]\ntls = \"none\"\nport = {}\nbind_dn = \"cn=mfad,dc=example,dc=org\"\ncredential = \"ldap\"\nbase = \"ou=people,dc=example,dc=org\"\n[web]\npasswords = \"ldap\"\n",
            slapd.port
        );
        let daemon = Setup::as_root().section(&ldap).section(CONFIG).start();
        let seed = Seed::of("jane");
        daemon.enroll_totp("jane", &seed);
        let mut egress = directory_role(&daemon, outside, &front);
        let socket = fs::metadata(format!("{DIRECTORY}/password.sock")).unwrap();
        assert_eq!((socket.mode() & 0o777, socket.gid()), (0o660, front.uid), "web alone reaches it");
        let mut web = Web::of(front.clone(), "127.0.0.1:8080");
        web.begin(&daemon);

        // The password of the host's own account is another one.
        for wrong in ["wrong", "", PASSWORD] {
            let (status, told) = password("one", "jane", wrong);
            assert!(status != 200 && !told.contains("\"code\":15,"), "{wrong:?}: {status} {told}");
        }
        let (status, told) = password("one", "jane", SLAPD_PASSWORD);
        assert!(status == 401 && told.contains("\"code\":15,"), "{status} {told}");
        assert!(!is_logged_on("one"));
        assert_eq!(totp("one", &seed.totp_now()), (201, String::new()));
        assert!(is_logged_on("one"));
        assert!(!Egress::output().contains(SLAPD_PASSWORD) && !Egress::output().contains(LOOKUP));

        egress.kill();
        let (status, told) = password("two", "jane", SLAPD_PASSWORD);
        assert!(status == 500 && told.contains("\"code\":4,"), "{status} {told}");
        egress.begin();
        drop(slapd);
        let (status, told) = password("two", "jane", SLAPD_PASSWORD);
        assert!(status == 500 && told.contains("\"code\":4,"), "{status} {told}");
        assert!(!is_logged_on("two"));
    });
}
