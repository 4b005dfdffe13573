//! Notices: mail to a real SMTP server (aiosmtpd), and a program with every fault that programs have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;
#[path = "mail/support.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use common::{LONG, jane, outside, secret};
use mfa_proto::{
    egress::{Done, Errand, Notice},
    name::{Claim, UserId, UserName},
    text::ShownText,
};
use mfad_egress::errand::Outside;
use serde_json::{Value, json};
use support::{Server, TO};

fn notice() -> Notice {
    Notice {
        seq: 42,
        time: 2_000_000_010,
        event: ShownText::clean("locked"),
        user: jane(),
        service: Some(Claim::clean("sshd")),
        source: Some(Claim::clean("203.0.113.7")),
        factor: Some(ShownText::clean("totp phone")),
        detail: Some(ShownText::clean("for 900 s")),
        actor: 0,
        to: Some(secret(TO)),
    }
}

async fn tell(outside: &Outside, notice: Notice) -> Done {
    let told = outside.run(Errand::Notify(Box::new(notice)));
    tokio::time::timeout(LONG, told).await.expect("it ends")
}

fn failed(done: &Done) -> &str {
    let Done::Failed { why } = done else { panic!("{done:?}") };
    why.as_str()
}

/// A program of one test, and the files it writes.
struct Hook {
    directory: tempfile::TempDir,
}

impl Hook {
    /// A shell script; `DIR` in it is a directory of its own.
    fn new(script: &str) -> Self {
        let hook = Self { directory: tempfile::tempdir().unwrap() };
        hook.becomes(script);
        hook
    }

    fn becomes(&self, script: &str) {
        let text = script.replace("DIR", self.directory.path().to_str().unwrap());
        // A file that is open for writing cannot be run: another goes in its place.
        let (new, program) = (self.file("new"), self.program());
        fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, program).unwrap();
    }

    fn program(&self) -> PathBuf {
        self.file("hook")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn wrote(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn outside(&self, more: &str) -> Outside {
        outside(&format!("[notify]\nhook = \"{}\"\n{more}", self.program().display()))
    }

    async fn wait_for(&self, name: &str) -> String {
        tokio::time::timeout(LONG, async {
            while !self.wrote(name).ends_with('\n') {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{name} is never written"));
        self.wrote(name)
    }
}

/// Waits until a process is gone; one that only waits to be collected is.
async fn gone(pid: &str) {
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    let alive = || fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z "));
    tokio::time::timeout(LONG, async {
        while alive() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it is ended");
}

#[tokio::test]
async fn the_program_gets_one_line_and_nothing_else() {
    let hook =
        Hook::new("{ echo \"$# $PWD\"; tr '\\0' '\\n' < /proc/$$/environ; } > DIR/around; cat > DIR/in");
    assert_eq!(tell(&hook.outside(""), notice()).await, Done::Yes);
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
    assert_eq!(hook.wrote("around"), format!("0 /\n{path}"));
    let line = hook.wrote("in");
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&told["event"], &told["user"]), (&json!("locked"), &json!("jane")));
    assert_eq!((&told["source"], &told["seq"]), (&json!("203.0.113.7"), &json!(42)));
    assert!(!line.contains("marker"), "the user's address is for mail alone");
}

#[tokio::test]
async fn hostile_texts_mean_nothing_to_a_shell() {
    let hook = Hook::new("cat > DIR/in");
    let trap = format!("'\"; touch {0} $(touch {0}) `touch {0}` \\n", hook.file("trapped").display());
    let user = UserId::local(UserName::new("$(reboot)").unwrap());
    let detail = Some(ShownText::clean(&format!("{trap}\n{trap}")));
    let hostile = Notice { user, source: Some(Claim::clean(&trap)), detail, ..notice() };
    assert_eq!(tell(&hook.outside(""), hostile).await, Done::Yes);
    let line = hook.wrote("in");
    assert_eq!(line.lines().count(), 1, "{line:?}");
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&told["source"], &told["user"]), (&json!(trap), &json!("$(reboot)")));
    assert!(!hook.file("trapped").exists());
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_it_started() {
    let hook = Hook::new("sleep 1000 & echo $! > DIR/child; echo $$ > DIR/own; sleep 1000");
    let done = tell(&hook.outside("hook_timeout = \"1s\""), notice()).await;
    assert!(failed(&done).contains("did not end in time"), "{done:?}");
    for name in ["own", "child"] {
        gone(&hook.wait_for(name).await).await;
    }
}

#[tokio::test]
async fn nothing_it_left_behind_goes_on() {
    let hook = Hook::new("sleep 1000 & echo $! > DIR/child");
    assert_eq!(tell(&hook.outside(""), notice()).await, Done::Yes);
    gone(&hook.wait_for("child").await).await;
}

#[tokio::test]
async fn an_asker_that_hangs_up_ends_it() {
    let hook = Hook::new("echo $$ > DIR/own; exec sleep 1000");
    let outside = hook.outside("hook_timeout = \"1m\"");
    let asked = outside.run(Errand::Notify(Box::new(notice())));
    tokio::select! {
        done = asked => panic!("{done:?}"),
        _ = hook.wait_for("own") => {}
    }
    gone(&hook.wrote("own")).await;
}

#[tokio::test]
async fn another_status_than_0_is_a_failure() {
    for (script, said) in
        [("exit 1", "exit status: 1"), ("kill -9 $$", "signal: 9"), ("exec /nonexistent", "127")]
    {
        let hook = Hook::new(script);
        let done = tell(&hook.outside(""), notice()).await;
        assert!(failed(&done).contains(said), "{script}: {done:?}");
    }
    let hook = Hook::new("exit 0");
    fs::remove_file(hook.program()).unwrap();
    assert!(failed(&tell(&hook.outside(""), notice()).await).contains("cannot be looked at"));
}

#[tokio::test]
async fn what_it_prints_and_does_not_read_holds_nobody_up() {
    for script in [
        "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 0",
        "exit 0",
        "exec <&-; exec >&- 2>&-; exit 0",
    ] {
        let hook = Hook::new(script);
        assert_eq!(tell(&hook.outside(""), notice()).await, Done::Yes, "{script}");
    }
}

#[tokio::test]
async fn a_program_that_others_could_have_written_is_not_run() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let refused = async |hook: &Hook, outside: Outside, why: &str| {
        let done = tell(&outside, notice()).await;
        assert!(failed(&done).contains(why) && failed(&done).contains("was not run"), "{done:?}");
        assert!(!hook.file("ran").exists());
    };
    for writable in [0o757, 0o775, 0o777] {
        let hook = Hook::new("touch DIR/ran");
        mode(&hook.program(), writable);
        refused(&hook, hook.outside(""), "is writable by others").await;
    }
    let hook = Hook::new("touch DIR/ran");
    mode(hook.directory.path(), 0o777);
    refused(&hook, hook.outside(""), "is writable by others").await;
    mode(hook.directory.path(), 0o755);

    // A link to it, in a directory of others.
    let links = tempfile::tempdir().unwrap();
    mode(links.path(), 0o777);
    let link = links.path().join("link");
    std::os::unix::fs::symlink(hook.program(), &link).unwrap();
    let by_link = || outside(&format!("[notify]\nhook = \"{}\"", link.display()));
    refused(&hook, by_link(), "is writable by others").await;
    mode(links.path(), 0o755);

    mode(&hook.program(), 0o644);
    refused(&hook, hook.outside(""), "is no program").await;
    mode(&hook.program(), 0o755);
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(hook.program(), Some(65_534), None).unwrap();
        refused(&hook, hook.outside(""), "belongs to uid 65534").await;
        std::os::unix::fs::chown(hook.program(), Some(0), None).unwrap();
    }
    assert_eq!(tell(&by_link(), notice()).await, Done::Yes, "it was the owner and the mode");
    assert!(hook.file("ran").exists());
}

#[tokio::test]
async fn no_more_than_two_run_at_a_time() {
    let hook = Hook::new("echo $$ > DIR/$$; exec sleep 1000");
    let outside = hook.outside("hook_timeout = \"1m\"");
    let started = || fs::read_dir(hook.directory.path()).unwrap().count() - 1;
    let one = outside.run(Errand::Notify(Box::new(notice())));
    let two = outside.run(Errand::Notify(Box::new(Notice { seq: 43, ..notice() })));
    let both_run = async {
        while started() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        tell(&outside, Notice { seq: 44, ..notice() }).await
    };
    tokio::select! {
        _ = one => panic!("it ended"),
        _ = two => panic!("it ended"),
        third = both_run => assert_eq!(third, Done::Busy),
    }
    hook.becomes("exit 0");
    assert_eq!(tell(&outside, notice()).await, Done::Yes, "who goes makes room");
}

fn by_mail(port: u16, notify: &str) -> String {
    format!(
        "[egress]\nhost = \"host.example.org\"\n[mail]\nserver = \"localhost\"\nport = {port}\ntls = \"none\"\nfrom = \"mfad@example.org\"\n[notify]\n{notify}\n"
    )
}

const ADMIN: &str = "mail_user = true\nmail_admin = \"root@example.org\"";

#[tokio::test]
async fn user_and_administrator_each_get_a_mail_of_their_own() {
    let server = Server::start(&json!({"tls": "none"}));
    assert_eq!(tell(&outside(&by_mail(server.port, ADMIN)), notice()).await, Done::Yes);
    let events = server.end();
    let to: Vec<&Value> = events.iter().map(|event| &event["to"]).collect();
    assert_eq!(to, [&json!([TO]), &json!(["root@example.org"])]);
    let text = events[0]["content"].as_str().unwrap();
    for part in [
        "Subject: host.example.org: locked after wrong codes (jane)\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "User:    jane\r\n",
        "From:    203.0.113.7\r\n",
        "When:    2033-05-18T03:33:30Z\r\n",
        "More:    for 900 s\r\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let server = Server::start(&json!({"tls": "none"}));
    let bare = Notice { to: None, ..notice() };
    assert_eq!(tell(&outside(&by_mail(server.port, "mail_user = true")), bare).await, Done::Yes);
    assert_eq!(server.end(), Vec::<Value>::new(), "nobody is left to be told");
}

#[tokio::test]
async fn hostile_texts_add_no_header_and_no_recipient() {
    let server = Server::start(&json!({"tls": "none"}));
    let hostile = "x\r\nBcc: evil@example.org\r\n\r\nbody\n.\nRCPT TO:<evil@example.org>\u{202e}";
    let notice = Notice {
        user: UserId::local(UserName::new("jane\u{2028}Bcc").unwrap_or_else(|_| jane().name)),
        event: ShownText::clean(hostile),
        source: Some(Claim::clean(hostile)),
        factor: Some(ShownText::clean(hostile)),
        detail: Some(ShownText::clean(hostile)),
        ..notice()
    };
    let subject = "subject = \"{event} {user} {source} {factor} {detail}\"\n";
    let sections = by_mail(server.port, &format!("{subject}{ADMIN}"));
    assert_eq!(tell(&outside(&sections), notice).await, Done::Yes);
    let events = server.end();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(event["to"].as_array().unwrap().len(), 1, "{event}");
        let (headers, _) = event["content"].as_str().unwrap().split_once("\r\n\r\n").unwrap();
        let named = headers.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        for line in named {
            let (name, _) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            assert!(
                ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"]
                    .contains(&name)
                    || name.starts_with("Content-"),
                "{line:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_tried_again_goes_only_the_ways_that_are_missing() {
    let server = Server::start(&json!({"tls": "none"}));
    let hook = Hook::new("exit 1");
    let notify = format!("{ADMIN}\nhook = \"{}\"", hook.program().display());
    let outside = outside(&by_mail(server.port, &notify));
    failed(&tell(&outside, notice()).await);
    failed(&tell(&outside, notice()).await);
    hook.becomes("cat >> DIR/in");
    assert_eq!(tell(&outside, notice()).await, Done::Yes);
    assert_eq!(hook.wrote("in").lines().count(), 1);
    assert_eq!(tell(&outside, Notice { seq: 43, ..notice() }).await, Done::Yes);
    assert_eq!(server.end().len(), 4, "two mails for each of two notices");
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_not_tried_again() {
    let server = Server::start(&json!({"tls": "none", "answer": {"rcpt": "550 5.1.1 no such user"}}));
    assert_eq!(tell(&outside(&by_mail(server.port, ADMIN)), notice()).await, Done::Yes);
    assert_eq!(server.end(), Vec::<Value>::new());
    let server = Server::start(&json!({"tls": "none", "answer": {"rcpt": "451 4.7.1 later"}}));
    let done = tell(&outside(&by_mail(server.port, ADMIN)), notice()).await;
    assert!(failed(&done).contains("451"), "{done:?}");
    assert!(!failed(&done).contains("marker"), "{done:?}");
    let port = server.port;
    server.end();
    let done = tell(&outside(&by_mail(port, ADMIN)), notice()).await;
    assert!(failed(&done).contains("cannot be reached"), "{done:?}");
}

#[tokio::test]
async fn without_a_way_to_tell_nothing_is_taken() {
    assert!(failed(&tell(&outside(""), notice()).await).contains("[notify]"));
}
