//! `mfactl pam` on the real things: a login after `enable` needs a code, after `disable` it does not, and whatever
//! happens in between leaves a stack that is the one or the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    daemon::Daemon,
    otp::Seed,
    pam::{self, Driver},
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::{Ran, must, run_with},
    world::{self, PASSWORD, World},
};
use serde_json::Value;

const STACK: &str = "/etc/pam.d/sshd";
const STATE: &str = "/var/lib/mfad-pam";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/50-mfad.conf";

/// A fresh Debian with mfad installed: jane, who administers, holds a factor.
struct Scene {
    daemon: Daemon,
    seed: Seed,
    sshd: Sshd,
    /// The stack of sshd before anything was done to it.
    before: String,
}

fn scene(world: &World) -> Scene {
    world.add_user("jane");
    must(&["usermod", "-aG", "sudo", "jane"]);
    world.install_module();
    let daemon = Daemon::start(world);
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    let sshd = Sshd::as_shipped();
    Scene { daemon, seed, sshd, before: fs::read_to_string(STACK).unwrap() }
}

impl Scene {
    fn pam(&self, words: &[&str]) -> Ran {
        self.daemon.ctl(&[&["pam"], words].concat())
    }

    fn json(&self, words: &[&str]) -> Value {
        let ran = self.pam(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

/// Whether the password alone is enough.
#[track_caller]
fn password_alone() -> bool {
    let mut session = ssh::ssh("jane", &["PreferredAuthentications=password,keyboard-interactive"], "id -un");
    session.expect_one_of(&["assword: "]);
    session.type_line(PASSWORD);
    ssh::was_let_in(session, "jane")
}

#[test]
fn sshd_asks_after_enable_and_does_not_after_disable() {
    world::enter("sshd_asks_after_enable_and_does_not_after_disable", |world| {
        let scene = scene(world);
        assert!(password_alone());
        let told = scene.json(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert!(told["changed"] == true && told["drop_in"] == DROP_IN, "{told}");
        scene.sshd.wait_until_listening(2);
        assert!(ssh::login("jane", &scene.seed.hotp(0)));
        assert!(!ssh::login("jane", &scene.seed.wrong()));
        let again = scene.json(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert_eq!(again["changed"], false, "{again}");
        scene.pam(&["disable", "sshd", "--yes"]).ok();
        scene.sshd.wait_until_listening(3);
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(!fs::exists(DROP_IN).unwrap() && password_alone());
    });
}

#[test]
fn sshd_asks_for_key_and_code_when_that_is_wanted() {
    world::enter("sshd_asks_for_key_and_code_when_that_is_wanted", |world| {
        let scene = scene(world);
        let jane = world.add_user("kim");
        must(&["usermod", "-aG", "sudo", "kim"]);
        let seed = Seed::of("kim");
        scene.daemon.enroll_hotp("kim", &seed, 0);
        let identity = format!("IdentityFile={}", ssh::authorize_key(&jane).display());
        scene.pam(&["enable", "sshd", "--sshd", "key", "--yes", "--no-revert"]).ok();
        scene.sshd.wait_until_listening(2);
        for (code, inside) in [(seed.wrong(), false), (seed.hotp(0), true)] {
            let mut session = ssh::ssh("kim", &[&identity], "id -un");
            session.answer(CODE_PROMPT, &code);
            assert_eq!(ssh::was_let_in(session, "kim"), inside, "with {code}");
        }
        assert!(!ssh::was_let_in(ssh::ssh("kim", &[], "id -un"), "kim"), "the key was not asked for");
        scene.pam(&["disable", "sshd", "--yes"]).ok();
        scene.sshd.wait_until_listening(3);
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(password_alone());
    });
}

/// Where an administrator lets keys do without, that is their word, and it is said before the change.
#[test]
fn what_sshd_lets_in_without_is_told() {
    world::enter("what_sshd_lets_in_without_is_told", |world| {
        let scene = scene(world);
        let own = "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                   AuthenticationMethods publickey keyboard-interactive\n";
        fs::write("/etc/ssh/sshd_config.d/10-admin.conf", own).unwrap();
        let ran = scene.pam(&["enable", "sshd", "--dry-run"]);
        assert!(
            ran.code == Some(0)
                && ran.stderr.contains("warning: /etc/ssh/sshd_config: logins by publickey alone"),
            "{ran:?}"
        );
        fs::write(
            "/etc/ssh/sshd_config.d/10-admin.conf",
            "Match User robot\n AuthenticationMethods publickey\n",
        )
        .unwrap();
        let ran = scene.pam(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert!(
            ran.code == Some(0) && ran.stderr.contains("with `Match User robot`: logins by publickey alone"),
            "{ran:?}"
        );
        scene.sshd.wait_until_listening(2);
        assert!(ssh::login("jane", &scene.seed.hotp(0)));
        // The stack asks, and somebody took the drop-in away: it comes back, and only it.
        fs::remove_file(DROP_IN).unwrap();
        let told = scene.json(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert!(told["changed"] == true && told["file"].is_null() && told["drop_in"] == DROP_IN, "{told}");
    });
}

/// Each of these would lock people out, or write where it must not: it says why, and changes nothing.
#[test]
fn what_would_lock_people_out_is_refused() {
    world::enter("what_would_lock_people_out_is_refused", |world| {
        let mut scene = scene(world);
        let refused = |scene: &Scene, words: &[&str], why: &str| {
            let ran = scene.pam(&[&["enable", "sshd", "--yes"], words].concat());
            assert!(ran.code != Some(0) && ran.stderr.contains(why), "{why}: {ran:?}");
            assert!(!fs::exists(DROP_IN).unwrap(), "{why}");
            assert!(!fs::read_to_string(STACK).unwrap().contains("pam_mfa"), "{why}");
            assert!(records().is_empty(), "{why}");
        };
        let usual = ["--sshd", "password", "--no-revert"];
        refused(&scene, &["--no-revert"], "sshd could not ask for a code as it is configured");
        refused(&scene, &["--sshd", "keep", "--no-revert"], "--sshd password");
        refused(&scene, &["--sshd", "password"], "systemd does not run here");
        scene.daemon.ctl(&["disable", "jane"]).ok();
        refused(&scene, &usual, "no administrator could log in by sshd any more: jane (no active factor)");
        scene.daemon.ctl(&["enable", "jane"]).ok();
        must(&["passwd", "-l", "jane"]);
        refused(&scene, &usual, "it has no password");
        must(&["passwd", "-u", "jane"]);
        must(&["chmod", "g+w", STACK]);
        refused(&scene, &usual, "others than root can write to it");
        must(&["chmod", "g-w", STACK]);
        must(&["mv", STACK, "/etc/pam.d/sshd.real"]);
        must(&["ln", "-s", "sshd.real", STACK]);
        refused(&scene, &usual, "is a symbolic link to sshd.real");
        must(&["mv", "/etc/pam.d/sshd.real", STACK]);
        fs::write("/etc/ssh/sshd_config.d/10-admin.conf", "KbdInteractiveAuthentication no\n").unwrap();
        refused(&scene, &usual, "sshd would not ask, even with");
        fs::write("/etc/ssh/sshd_config.d/10-admin.conf", "Nonsense yes\n").unwrap();
        refused(&scene, &usual, "Bad configuration option");
        fs::remove_file("/etc/ssh/sshd_config.d/10-admin.conf").unwrap();
        scene.daemon.stop();
        refused(&scene, &usual, "mfad does not answer");
        scene.daemon.begin();
        must(&["sh", "-c", "rm /usr/lib/*/security/pam_mfa.so"]);
        refused(&scene, &usual, "is not there");
        assert!(password_alone());
    });
}

/// Records of changes, pending or not.
fn records() -> Vec<String> {
    let of = |kind: &str| {
        fs::read_dir(format!("{STATE}/{kind}")).into_iter().flatten().flatten().collect::<Vec<_>>()
    };
    let all = of("pending").into_iter().chain(of("active"));
    // What was being written when a run was ended is no record.
    all.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| !name.starts_with('.')).collect()
}

/// Has the record of a change say that its time is over.
fn make_due(service: &str) {
    let (active, pending) =
        (format!("{STATE}/active/{service}.json"), format!("{STATE}/pending/{service}.json"));
    let text = fs::read_to_string(&active).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    record["until"] = Value::from(record["since"].as_i64().unwrap());
    fs::write(&active, record.to_string()).unwrap();
    fs::rename(active, pending).unwrap();
}

#[test]
fn what_is_due_is_taken_back_and_what_was_edited_since_stays() {
    world::enter("what_is_due_is_taken_back_and_what_was_edited_since_stays", |world| {
        let scene = scene(world);
        let enable = ["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"];
        scene.pam(&enable).ok();
        scene.sshd.wait_until_listening(2);
        scene.pam(&["revert", "--due"]).ok();
        assert!(fs::exists(DROP_IN).unwrap(), "nothing was due");
        make_due("sshd");
        let waits = scene.pam(&["status"]);
        assert!(waits.stdout.contains("waits to be confirmed"), "{waits:?}");
        scene.pam(&["revert", "--due"]).ok();
        scene.sshd.wait_until_listening(3);
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(records().is_empty() && password_alone());

        scene.pam(&enable).ok();
        scene.sshd.wait_until_listening(4);
        make_due("sshd");
        let edited = format!("# by hand\n{}", fs::read_to_string(STACK).unwrap());
        fs::write(STACK, edited).unwrap();
        let drop_in = fs::read_to_string(DROP_IN).unwrap() + "MaxAuthTries 4\n";
        fs::write(DROP_IN, drop_in).unwrap();
        let ran = scene.pam(&["revert", "--due"]);
        assert!(ran.stderr.contains("was edited since: only the lines of mfactl"), "{ran:?}");
        assert_eq!(fs::read_to_string(STACK).unwrap(), format!("# by hand\n{}", scene.before));
        assert!(
            fs::read_to_string(format!("{STATE}/50-mfad.conf.edited")).unwrap().contains("MaxAuthTries 4")
        );
        scene.sshd.wait_until_listening(5);
        assert!(password_alone());

        scene.pam(&enable).ok();
        make_due("sshd");
        scene.pam(&["confirm"]).ok();
        scene.pam(&["revert", "--due"]).ok();
        assert!(fs::exists(DROP_IN).unwrap(), "what was confirmed stays");
        assert_ne!(scene.pam(&["confirm"]).code, Some(0), "there is nothing more to confirm");
    });
}

/// What arms the timer is systemd's, and tried on a booted host. Here it says that it did, and that it manages no sshd.
fn pretend_systemd() {
    fs::create_dir_all("/run/systemd/system").unwrap();
    fs::write("/run/systemctl", "#!/bin/sh\ncase \"$*\" in *ssh*) exit 3;; esac\n").unwrap();
    must(&["chmod", "755", "/run/systemctl"]);
    must(&["mount", "--bind", "/run/systemctl", "/usr/bin/systemctl"]);
}

/// `mfactl` on a terminal.
fn on_terminal(words: &[&str]) -> Session {
    let mut command = std::process::Command::new(World::built("mfactl"));
    command.args(words);
    Session::start(&command)
}

/// The key that is shown to be typed into an app.
fn key_shown(session: &Session) -> Seed {
    let is_key = |line: &&str| {
        let key = line.replace(' ', "");
        line.starts_with("    ")
            && key.len() >= 16
            && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let line =
        session.shown().lines().find(is_key).unwrap_or_else(|| panic!("no key in:\n{}", session.shown()));
    Seed::from_base32(&line.replace(' ', ""))
}

/// From an installed package to a login that asks: by two commands, with Enter for most answers.
#[test]
fn a_newcomer_needs_two_commands() {
    world::enter("a_newcomer_needs_two_commands", |world| {
        world.add_user("jane");
        world.install_module();
        let _daemon = Daemon::start(world);
        let sshd = Sshd::as_shipped();
        pretend_systemd();
        let mut enroll = on_terminal(&["enroll"]);
        enroll.answer("for which account? [jane] ", "");
        enroll.expect("Code that the authenticator shows now");
        let seed = key_shown(&enroll);
        enroll.type_line(&seed.totp_now()).expect("Confirmed").expect("mfactl pam enable sshd");
        assert_eq!(enroll.end().code, Some(0));

        let mut enable = on_terminal(&["pam", "enable", "sshd"]);
        enable.answer("Which one? p, k, or n for neither [p] ", "").answer("Make this change? [y/N] ", "y");
        enable.expect("Does a login in a second terminal work?");
        // systemd, had it run, would have reloaded it.
        nix::sys::signal::kill(sshd.process(), nix::sys::signal::Signal::SIGHUP).unwrap();
        sshd.wait_until_listening(2);
        assert!(ssh::login("jane", &seed.totp_next()));
        enable.type_line("y").expect("Kept: sshd asks for a code.");
        assert_eq!(enable.end().code, Some(0));
        assert_eq!(records(), ["sshd.json"]);
    });
}

#[test]
fn setup_leads_through_all_of_it() {
    world::enter("setup_leads_through_all_of_it", |world| {
        world.add_user("jane");
        world.install_module();
        let daemon = Daemon::start(world);
        let piped = daemon.ctl(&["setup"]);
        assert!(piped.code == Some(2) && piped.stderr.contains("instead: mfactl enroll totp"), "{piped:?}");
        pretend_systemd();
        let mut setup = on_terminal(&["setup"]);
        setup.answer("for which account? [jane] ", "").answer("Enroll an app? [Y/n, q stops] ", "");
        setup.expect("Code that the authenticator shows now");
        let seed = key_shown(&setup);
        setup.type_line(&seed.totp_now()).answer("Try a code? [Y/n, q stops] ", "");
        setup.answer("Verification code: ", &seed.totp_next()).expect("Verdict: ").expect("accept");
        setup.answer("Make ten, shown once? [Y/n, q stops] ", "");
        setup.answer("Ask in logins by ssh? [Y/n, q stops] ", "n");
        setup.answer("a code of their own? [y/N, q stops] ", "y").answer("Make this change? [y/N] ", "y");
        setup.answer("Does a login in a second terminal work?", "n").expect("Taken back: sudo is as it was.");
        setup.answer("Ask in the console? [y/N, q stops] ", "q").expect("Stopped.");
        assert_eq!(setup.end().code, Some(0));
        assert!(!fs::read_to_string("/etc/pam.d/sudo").unwrap().contains("pam_mfa"));
    });
}

/// Ended at any of its steps to the disk, `enable` leaves the stack of before, or a record that brings it back.
#[test]
fn a_kill_at_any_step_leaves_a_way_back() {
    world::enter("a_kill_at_any_step_leaves_a_way_back", |world| {
        let scene = scene(world);
        pretend_systemd();
        let mfactl = World::built("mfactl");
        let mut killed = 0;
        for step in 1.. {
            let inject = format!("inject=fsync,rename,unlink:signal=KILL:when={step}");
            let mut command = std::process::Command::new("strace");
            command.args(["-f", "-o", "/dev/null", "-e", &inject]).arg(&mfactl);
            command.args(["pam", "enable", "sshd", "--sshd", "password", "--yes"]);
            let ran = run_with(&mut command, "");
            let stack = fs::read_to_string(STACK).unwrap();
            let pending = fs::exists(format!("{STATE}/pending/sshd.json")).unwrap();
            assert!(stack == scene.before || pending, "step {step}: {ran:?}");
            assert!(!fs::exists(DROP_IN).unwrap() || pending, "step {step}: {ran:?}");
            if ran.code == Some(0) {
                break;
            }
            killed += 1;
            if pending {
                scene.pam(&["revert"]).ok();
            }
            assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before, "step {step}");
            assert!(!fs::exists(DROP_IN).unwrap() && records().is_empty(), "step {step}");
        }
        assert!(killed >= 8, "{killed} steps say little");
        assert!(fs::read_to_string(STACK).unwrap().contains("pam_mfa.so"));
        // The way back can be ended anywhere, too, and goes on from there.
        for step in 1.. {
            let inject = format!("inject=fsync,rename,unlink:signal=KILL:when={step}");
            let mut command = std::process::Command::new("strace");
            command
                .args(["-f", "-o", "/dev/null", "-e", &inject])
                .arg(&mfactl)
                .args(["pam", "revert", "sshd"]);
            if run_with(&mut command, "").code == Some(0) {
                break;
            }
            assert!(step < 50, "it never comes to its end");
        }
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(!fs::exists(DROP_IN).unwrap() && records().is_empty());
    });
}

#[test]
fn a_full_disk_changes_nothing() {
    world::enter("a_full_disk_changes_nothing", |world| {
        let scene = scene(world);
        let disk = world.small_disk("pam.d", 256);
        must(&["cp", "-a", "/etc/pam.d/.", disk.to_str().unwrap()]);
        must(&["mount", "--bind", disk.to_str().unwrap(), "/etc/pam.d"]);
        let mut filler = fs::File::create("/etc/pam.d/filler.tmp").unwrap();
        while std::io::Write::write_all(&mut filler, &[b'x'; 512]).is_ok() {}
        let ran = scene.pam(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert!(ran.code != Some(0) && ran.stderr.contains("No space left"), "{ran:?}");
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(!fs::exists(DROP_IN).unwrap() && records().is_empty());
        assert!(password_alone());
    });
}

#[test]
fn optional_asks_only_who_has_a_factor() {
    world::enter("optional_asks_only_who_has_a_factor", |world| {
        let scene = scene(world);
        world.add_user("newcomer");
        scene.pam(&["enable", "sshd", "--optional", "--sshd", "password", "--yes", "--no-revert"]).ok();
        scene.sshd.wait_until_listening(2);
        let mut session = ssh::ssh("newcomer", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        assert!(ssh::was_let_in(session, "newcomer"));
        assert!(ssh::login("jane", &scene.seed.hotp(0)));
        assert!(!ssh::login("jane", &scene.seed.wrong()));
        let status = scene.pam(&["status"]);
        assert!(status.stdout.contains("users without a factor get in without a code"), "{status:?}");
        scene.pam(&["disable", "sshd", "--yes"]).ok();
        assert!(!fs::exists("/etc/mfad/conf.d/50-sshd-optional.toml").unwrap());
        let told = scene.daemon.ctl(&["explain", "newcomer", "--service", "sshd"]);
        assert_eq!(told.code, Some(4), "{told:?}");
    });
}

#[test]
fn owner_mode_and_label_stay() {
    world::enter("owner_mode_and_label_stay", |world| {
        let scene = scene(world);
        let label =
            "import os; os.setxattr('/etc/pam.d/sshd', 'security.selinux', b'system_u:object_r:etc_t:s0')";
        must(&["python3", "-c", label]);
        must(&["chmod", "640", STACK]);
        must(&["chgrp", "sudo", STACK]);
        let look = || {
            let read = "import os; print(os.getxattr('/etc/pam.d/sshd', 'security.selinux').decode())";
            must(&["stat", "-c", "%a %U %G", STACK]) + &must(&["python3", "-c", read])
        };
        let before = look();
        scene.pam(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]).ok();
        assert_eq!(look(), before);
        scene.pam(&["disable", "sshd", "--yes"]).ok();
        assert_eq!(look(), before);
    });
}

/// What the package does before the module goes: every stack loads, and none lets in by less than the password.
#[test]
fn after_disable_all_no_stack_names_the_module_and_none_is_open() {
    world::enter("after_disable_all_no_stack_names_the_module_and_none_is_open", |world| {
        let scene = scene(world);
        scene.pam(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]).ok();
        pam::service("by-hand", &["auth requisite pam_unix.so", "auth required pam_mfa.so timeout=9"]);
        pam::service("code-alone", &["auth requisite pam_mfa.so", "auth required pam_permit.so"]);
        let jump = "auth [success=1 default=ignore] pam_debug.so auth=success";
        pam::service("jump", &[jump, "auth required pam_mfa.so", "auth required pam_unix.so"]);
        scene.pam(&["disable", "--all"]).ok();
        must(&["sh", "-c", "rm /usr/lib/*/security/pam_mfa.so; ! grep -rlE '^[^#]*pam_mfa' /etc/pam.d"]);
        for (service, with, without) in
            [("by-hand", true, false), ("code-alone", false, false), ("jump", true, false)]
        {
            assert_eq!(Driver::new(service).login("jane", &[PASSWORD]).passed(), with, "{service}");
            assert_eq!(Driver::new(service).login("jane", &["wrong"]).passed(), without, "{service}");
        }
        assert!(password_alone());
    });
}

/// `mfactl` as root, at the usual socket: the profile of the package knows no other.
fn usual(words: &[&str]) -> Ran {
    let mut command = std::process::Command::new(World::built("mfactl"));
    run_with(command.args(words), "")
}

/// Debian's profiles with ours, and nothing of what else this machine has.
fn install_profile() {
    let unix = fs::read_to_string("/usr/share/pam-configs/unix").unwrap();
    must(&["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/usr/share/pam-configs"]);
    let ours = include_str!("../../packaging/pam-configs/mfa");
    for (name, text) in [("unix", unix.as_str()), ("mfa", ours)] {
        fs::write(format!("/usr/share/pam-configs/{name}"), text).unwrap();
    }
    // What it writes to, beside /etc.
    must(&["mkdir", "/var/lib/pam"]);
    must(&["cp", "-a", "/var/cache/debconf", "/run/debconf"]);
    must(&["mount", "--bind", "/run/debconf", "/var/cache/debconf"]);
    must(&["env", "DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package", "--force"]);
}

/// All services of a Debian at once, by its own program: each asks, and none does after it is switched off.
#[test]
fn every_service_of_a_debian_asks_after_enable_common_auth() {
    world::enter("every_service_of_a_debian_asks_after_enable_common_auth", |world| {
        let scene = scene(world);
        install_profile();
        let common = || fs::read_to_string("/etc/pam.d/common-auth").unwrap();
        let before = common();
        pam::service("app", &["@include common-auth", pam::ACCOUNT, pam::SESSION]);
        let passes = |service: &str, answers: &[&str]| Driver::new(service).login("jane", answers).passed();
        assert!(passes("app", &[PASSWORD]) && !passes("app", &["wrong"]));

        let dry = usual(&["pam", "enable", "common-auth", "--sshd", "password", "--dry-run"]).ok();
        assert!(dry.contains("pam_mfa.so"), "{dry}");
        assert_eq!(common(), before, "a dry run has changed it");
        let words = ["pam", "enable", "common-auth", "--sshd", "password", "--yes", "--no-revert"];
        usual(&words).ok();
        scene.sshd.wait_until_listening(2);
        assert!(passes("app", &[PASSWORD, &scene.seed.hotp(0)]));
        assert!(!passes("app", &[PASSWORD, &scene.seed.wrong()]), "the password was enough");
        scene.daemon.wait_out_short_waits("jane");
        assert!(!passes("app", &["wrong", &scene.seed.hotp(1)]), "the code was enough");
        scene.daemon.wait_out_short_waits("jane");
        assert!(ssh::login("jane", &scene.seed.hotp(1)), "sshd includes it as well");
        assert_eq!(usual(&["pam", "status"]).code, Some(0), "no way around it");

        usual(&["pam", "disable", "common-auth", "--yes"]).ok();
        scene.sshd.wait_until_listening(3);
        assert_eq!(common(), before);
        assert!(passes("app", &[PASSWORD]) && !passes("app", &["wrong"]));
        assert!(password_alone() && !fs::exists(DROP_IN).unwrap());
    });
}

/// A file that somebody edited is not Debian's to write, and so not ours: nothing is changed.
#[test]
fn a_common_auth_that_was_edited_by_hand_is_left_alone() {
    world::enter("a_common_auth_that_was_edited_by_hand_is_left_alone", |world| {
        let scene = scene(world);
        install_profile();
        let path = "/etc/pam.d/common-auth";
        // Options that somebody added it takes over; a line among its own it does not understand.
        let own = "auth\t[success=1 default=ignore]";
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(own), "{text}");
        let edited = text.replace(own, &format!("auth optional pam_faildelay.so delay=1\n{own}"));
        fs::write(path, &edited).unwrap();
        let words = ["pam", "enable", "common-auth", "--sshd", "password", "--yes", "--no-revert"];
        let ran = usual(&words);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("somebody edited it by hand"), "{ran:?}");
        assert_eq!(fs::read_to_string(path).unwrap(), edited);
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(!fs::exists(DROP_IN).unwrap() && password_alone());
    });
}
