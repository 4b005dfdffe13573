//! Emergency codes: asked for with a reason, shown once.

use mfa_proto::admin::{
    FactorId, FactorKind, FactorState, LockState, RefusalCode, Reply, Request, UserPage, UserSummary,
};
use mfa_proto::answer::RecoveryCode;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::both;
use crate::run::{NOW, run};
use crate::sample;

const WISH: [&str; 4] = ["breakglass", "alice", "--reason", "phone lost"];

fn made() -> Reply {
    let code = sample::secret(&RecoveryCode::emergency(b"0123456789").grouped());
    Reply::BreakGlass { factor: FactorId(9), code, until: NOW + 7_200 }
}

#[test]
fn breakglass() {
    let with = |more: &[&'static str]| [&WISH[..], more].concat();
    both("breakglass.txt", &with(&["--stdout"]), "", || Script::Admin(vec![made()]));
    both("breakglass-piped.txt", &WISH, "", || Script::Admin(Vec::new()));
    let refused = || sample::refused(RefusalCode::NotAllowed, "only root may make a code for an emergency");
    both("breakglass-refused.txt", &with(&["--stdout"]), "", move || Script::Admin(vec![refused()]));
    both("list-emergency.txt", &["list"], "", || {
        let held =
            vec![(FactorKind::Totp, FactorState::Disabled), (FactorKind::BreakGlass, FactorState::Active)];
        let user = UserSummary {
            user: sample::user("alice"),
            factors: held,
            last_used: None,
            lock: LockState::Open,
            tampered: false,
            emergency_until: Some(NOW + 7_200),
        };
        Script::Admin(vec![Reply::Users(UserPage { users: vec![user], more: false })])
    });
}

#[test]
fn how_long_and_why_reach_the_daemon_as_they_were_meant() {
    for (span, asked) in [("2h", 7_200), ("5m", 300), ("24h", 86_400), ("1d", 86_400), ("1h 30min", 5_400)] {
        let daemon = FakeDaemon::admin(vec![made()]);
        let arguments = ["breakglass", "alice", "--for", span, "--reason", " phone lost ", "--stdout"];
        assert_eq!(run(&daemon.socket(), &arguments, "").code, 0, "{span}");
        let seen = daemon.finish();
        let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
        let Request::BreakGlass { user, seconds, reason } = &**request else { panic!("{request:?}") };
        assert_eq!((user, *seconds, reason.as_str()), (&sample::user("alice"), asked, "phone lost"));
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anyone_is_asked() {
    let long = "x".repeat(201);
    for arguments in [
        &["breakglass", "alice"][..],
        &["breakglass", "--reason", "lost"],
        &["breakglass", "alice", "--reason", ""],
        &["breakglass", "alice", "--reason", "two\nlines"],
        &["breakglass", "alice", "--reason", &long],
        &["breakglass", "alice", "--reason", "lost", "--for", "4m"],
        &["breakglass", "alice", "--reason", "lost", "--for", "25h"],
        &["breakglass", "alice", "--reason", "lost", "--for", "soon"],
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        let ran = run(&daemon.socket(), arguments, "");
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(daemon.finish().is_empty(), "{arguments:?}");
    }
}

#[test]
fn it_goes_into_a_new_file_that_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("code");
    let output = path.to_str().unwrap();
    for made_before in [false, true] {
        let daemon = FakeDaemon::admin(if made_before { Vec::new() } else { vec![made()] });
        let ran = run(&daemon.socket(), &[&WISH[..], &["--output", output]].concat(), "");
        assert_eq!(ran.code == 0, !made_before, "{ran:?}");
        assert!(!format!("{ran:?}").contains("GAYT"), "{ran:?}");
        daemon.finish();
    }
    assert!(std::fs::read_to_string(&path).unwrap().contains("00-GAYT-EMZU-GU3D-OOBZ"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o7777, 0o600);
}
