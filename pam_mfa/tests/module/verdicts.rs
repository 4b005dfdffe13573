//! A daemon that speaks well: what the person sees, what the daemon hears, what PAM is told.

use mfa_proto::{
    answer::AnswerShape,
    login::{Dialogue, Verdict, Withheld},
    text::ShownText,
};

use crate::rig::{
    AUTH_ERR, AUTHINFO_UNAVAIL, Daemon, Login, MAXTRIES, PERM_DENIED, Place, Report, SERVICE_ERR,
    SETTLED_ACCEPT, SUCCESS, info, prompt, settled,
};

fn login_with_verdict(verdict: Verdict, login: Login) -> Report {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), move |mut peer| {
        peer.greeted();
        peer.says(&prompt("Verification code: "));
        assert_eq!(peer.answer(), "123456");
        peer.says(&settled(verdict));
        peer.hears_the_end();
    });
    let report = login.at(&place.socket()).types("123 456").run(&place);
    daemon.done();
    report
}

#[test]
fn each_verdict_has_its_code() {
    let expected = [
        (Verdict::Accept, SUCCESS, SUCCESS),
        (Verdict::Deny, AUTH_ERR, AUTH_ERR),
        (Verdict::Locked, MAXTRIES, MAXTRIES),
        (Verdict::Unavailable, AUTHINFO_UNAVAIL, AUTHINFO_UNAVAIL),
        // Ignored: passes with a module that says yes, and not without.
        (Verdict::NotApplicable, SUCCESS, PERM_DENIED),
    ];
    for (verdict, with_permit, alone) in expected {
        let report = login_with_verdict(verdict, Login::new());
        assert_eq!(report.authenticated(), with_permit, "{verdict:?}: {report:?}");
        let report = login_with_verdict(verdict, Login::new().alone());
        assert_eq!(report.authenticated(), alone, "{verdict:?} alone: {report:?}");
    }
}

#[test]
fn a_login_that_the_daemon_decides_is_not_logged_twice() {
    for verdict in [Verdict::Accept, Verdict::Deny, Verdict::Locked, Verdict::NotApplicable] {
        assert_eq!(login_with_verdict(verdict, Login::new()).log(), "");
    }
}

#[test]
fn prompts_are_shown_and_hidden_as_the_daemon_says() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&info("Hello\nthere"));
        let shape = AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS);
        for echo in [true, false] {
            let text = ShownText::clean(&format!("Echo {echo}: "));
            peer.says(&mfa_proto::login::ServerMessage::Prompt { text, echo, shape });
            assert_eq!(peer.answer(), "12345678");
        }
        let text = ShownText::clean("Press Return.");
        let shape = AnswerShape::ACKNOWLEDGE;
        peer.says(&mfa_proto::login::ServerMessage::Prompt { text, echo: true, shape });
        assert_eq!(peer.answer(), "");
        peer.says(&SETTLED_ACCEPT);
    });
    let login = Login::new().at(&place.socket()).types("1234-5678").types("12345678").types("my password");
    let report = login.run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), SUCCESS);
    assert_eq!(report.of("info"), [r"Hello\x0athere"]);
    assert_eq!(report.of("shown"), ["Echo true: ", "Press Return."]);
    assert_eq!(report.of("hidden"), ["Echo false: "]);
}

#[test]
fn the_longest_prompt_arrives_whole() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&prompt(&"x".repeat(600)));
        assert_eq!(peer.answer(), "123456");
        peer.says(&SETTLED_ACCEPT);
    });
    let report = Login::new().at(&place.socket()).types("123456").run(&place);
    daemon.done();
    assert_eq!(report.of("shown"), ["x".repeat(511)]);
    assert_eq!(report.authenticated(), SUCCESS);
}

#[test]
fn a_silent_login_hides_texts_and_shows_prompts() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&info("Hello"));
        peer.says(&prompt("Code: "));
        assert_eq!(peer.answer(), "123456");
        peer.says(&SETTLED_ACCEPT);
    });
    let report = Login::new().at(&place.socket()).with("--flags", "0x8000").types("123456").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), SUCCESS);
    assert!(report.of("info").is_empty());
    assert_eq!(report.of("shown"), ["Code: "]);
}

#[test]
fn the_daemon_is_told_who_logs_in_and_what_is_claimed() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        let start = peer.greeted();
        let claimed = |claim: Option<mfa_proto::name::Claim>| claim.map(|claim| claim.as_str().to_owned());
        assert_eq!((start.user.as_str(), start.service.as_str()), ("jane", "driver"));
        assert_eq!(start.dialogue, Dialogue::Interactive);
        assert_eq!(claimed(start.remote_host).unwrap(), r"2001:db8::1\u{a}forged");
        assert_eq!(claimed(start.remote_user).unwrap().len(), 256);
        assert_eq!(claimed(start.terminal).unwrap(), "ssh");
        assert_eq!(start.ssh_auth_info.unwrap().as_str(), "publickey ssh-ed25519 AAAA\npassword\n");
        peer.says(&SETTLED_ACCEPT);
    });
    let long = "r".repeat(5000);
    let login = Login::new().at(&place.socket()).with("--rhost", "2001:db8::1\nforged").with("--ruser", long);
    let login = login
        .with("--tty", "ssh")
        .with("--environment", "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA\npassword");
    assert_eq!(login.run(&place).authenticated(), SUCCESS);
    daemon.done();
}

#[test]
fn long_claims_are_cut_so_that_the_login_fits_its_frame() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        let start = peer.greeted();
        let lengths =
            [start.remote_host, start.remote_user, start.terminal].map(|claim| claim.unwrap().as_str().len());
        assert_eq!(lengths, [256, 256, 256]);
        // Of what sshd accepted, lines are whole or left out.
        assert_eq!(start.ssh_auth_info.unwrap().as_str(), "password\n");
        peer.says(&SETTLED_ACCEPT);
    });
    // Longer ones libpam's own audit message does not hold, and libpam denies.
    let long = "x".repeat(1500);
    let login = Login::new().at(&place.socket()).with("--rhost", &long).with("--ruser", &long);
    let login =
        login.with("--tty", &long).with("--environment", format!("SSH_AUTH_INFO_0={long}{long}\npassword"));
    assert_eq!(login.run(&place).authenticated(), SUCCESS);
    daemon.done();
}

#[test]
fn what_is_not_claimed_is_not_made_up() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        let start = peer.greeted();
        assert_eq!((start.remote_host, start.remote_user, start.terminal), (None, None, None));
        assert_eq!(start.ssh_auth_info, None);
        peer.says(&SETTLED_ACCEPT);
    });
    assert_eq!(Login::new().at(&place.socket()).with("--rhost", "").run(&place).authenticated(), SUCCESS);
    daemon.done();
}

#[test]
fn the_other_phases_do_what_they_are_documented_to() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&SETTLED_ACCEPT);
    });
    let phases = "authenticate,setcred,account,session,password";
    let report = Login::new().alone().at(&place.socket()).with("--phases", phases).run(&place);
    daemon.done();
    assert_eq!((report.authenticated(), report.code("setcred")), (SUCCESS, SUCCESS));
    assert_eq!(report.code("account"), SERVICE_ERR, "a public key login must not look like one with a code");
    assert!(report.log().contains("AuthenticationMethods"), "{report:?}");
    assert_eq!((report.code("open"), report.code("close")), (SUCCESS, SUCCESS));
    assert_eq!(report.code("password"), SUCCESS, "passed by, on to pam_permit");
}

#[test]
fn an_account_that_changes_on_the_way_is_denied() {
    let report = login_with_verdict(Verdict::Accept, Login::new().with("--become", "root"));
    assert_eq!(report.authenticated(), AUTH_ERR);
    assert!(report.log().contains("PAM_USER was changed"), "{report:?}");
    let report = login_with_verdict(Verdict::NotApplicable, Login::new().with("--become", "root"));
    assert_eq!(report.authenticated(), AUTH_ERR);
}

#[test]
fn what_is_no_name_is_denied_before_the_daemon_is_asked() {
    let place = Place::new();
    let no_daemon = place.socket();
    for name in ["root\n", "a:b", "../x", " root", "\u{1b}[2J", &"x".repeat(300)] {
        let report =
            Login::new().with("--user", name).at(&no_daemon).argument("unavailable=ignore").run(&place);
        assert_eq!(report.authenticated(), AUTH_ERR, "{name:?}");
        assert_eq!(report.of("log").len(), 1, "{report:?}");
    }
}

#[test]
fn an_argument_that_is_not_understood_denies_and_is_named_in_the_log() {
    let place = Place::new();
    for bad in ["tiemout=5", "timeout=0", "unavailable=yes", "socket=relative", "debug"] {
        let report = Login::new().argument("unavailable=ignore").argument(bad).run(&place);
        assert_eq!(report.authenticated(), SERVICE_ERR, "{bad}");
        assert!(report.log().contains(&format!("\"{bad}\"")), "{report:?}");
    }
}

#[test]
fn the_password_and_other_texts_that_are_no_codes_stay_in_the_host() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        for expected in [Withheld::Shape, Withheld::Shape, Withheld::SshdRefusal] {
            peer.says(&prompt("Code: "));
            assert_eq!(peer.withheld(), expected);
        }
        peer.says(&settled(Verdict::Deny));
    });
    let long = "1".repeat(2000);
    let login = Login::new().at(&place.socket()).types("hunter2").types(&long).types("\x08\n\r\x7fINCORRECT");
    assert_eq!(login.run(&place).authenticated(), AUTH_ERR);
    daemon.done();
}

#[test]
fn a_password_of_six_digits_is_not_sent_as_a_code() {
    let place = Place::new();
    let daemon = Daemon::at(&place.socket(), |mut peer| {
        peer.greeted();
        peer.says(&prompt("Code: "));
        assert_eq!(peer.withheld(), Withheld::Shape);
        peer.says(&settled(Verdict::Deny));
    });
    let login = Login::new().after_line("auth required pam_exec.so quiet expose_authtok /bin/true");
    let report = login.at(&place.socket()).types("654321").types("654321").run(&place);
    daemon.done();
    assert_eq!(report.authenticated(), AUTH_ERR);
    assert_eq!(report.of("hidden").len(), 1, "pam_exec asked for the password: {report:?}");
}
