//! What breaks below the daemon: its process killed, its disk full or read-only, its rows changed, its
//! configuration wrong. None of it lets anyone in, takes a code twice or forgets an attempt.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::{Driver, Login, Run},
    sys::{must, pause, wait_until},
    world,
};

/// Runs SQL on a database, by the `sqlite3` command, which knows nothing of ours.
fn sql(database: &Path, statement: &str) -> String {
    must(&["sqlite3", database.to_str().unwrap(), statement])
}

/// The database file of a daemon: the one file in its state directory that SQLite takes for one.
fn database(daemon: &Daemon) -> std::path::PathBuf {
    let found: Vec<_> = fs::read_dir(&daemon.state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn app(user: &str, code: &str) -> String {
    Driver::new("app").login(user, &[code]).result
}

const CRASHES: u64 = 25;
const USERS: usize = 6;
/// Logins of one user between two crashes: a right code, a wrong one, the next right one, and so on. Two
/// failures with a success between them earn no wait.
const STREAM: u64 = 40;

/// What one stream of logins between two crashes was told.
struct Told {
    accepted: Vec<(String, String)>,
    judged_wrong: Vec<String>,
}

fn told(run: &Run, sent: &[(String, String, bool)]) -> Told {
    let mut told = Told { accepted: Vec::new(), judged_wrong: Vec::new() };
    let mut just_in = HashSet::new();
    for outcome in &run.outcomes {
        let (user, code, right) = &sent[outcome.index];
        let was_just_in = just_in.remove(user);
        match outcome.result.as_str() {
            "PAM_SUCCESS" => {
                assert!(right, "a wrong code was accepted: {outcome:?}");
                told.accepted.push((user.clone(), code.clone()));
                just_in.insert(user);
            }
            // Right after a success no wait can stand in the way of judging it.
            "PAM_AUTH_ERR" if !right && was_just_in => told.judged_wrong.push(user.clone()),
            _ => {}
        }
    }
    told
}

/// A user of the crash test and the first counter it has not been let in with.
struct User {
    name: String,
    seed: Seed,
    next: u64,
}

/// The logins of one round: for each user a stream of its own, which one process of the driver works off.
fn stream(users: &[User]) -> Vec<(String, String, bool)> {
    (0..STREAM)
        .flat_map(|n| {
            users.iter().map(move |user| {
                let right = n % 2 == 0;
                let code = if right { user.seed.hotp(user.next + n / 2) } else { user.seed.wrong() };
                (user.name.clone(), code, right)
            })
        })
        .collect()
}

/// kill -9 at random moments while logins run, again and again.
#[test]
fn no_crash_makes_a_code_good_twice_or_an_attempt_free() {
    world::enter("no_crash_makes_a_code_good_twice_or_an_attempt_free", |world| {
        let mut daemon = Daemon::start(world);
        daemon.guard_with_code_alone("app", "timeout=5");
        let mut users: Vec<User> = (0..USERS)
            .map(|n| User { name: format!("user{n}"), seed: Seed::of(&n.to_string()), next: 0 })
            .collect();
        for user in &users {
            world.add_user(&user.name);
            daemon.enroll_hotp(&user.name, &user.seed, 0);
        }
        let mut accepted: HashSet<(String, String)> = HashSet::new();
        let mut judged: HashMap<String, u64> = HashMap::new();
        // On a slow machine few logins get far between two crashes: then it takes more of those.
        let enough =
            |accepted: &HashSet<_>, judged: &HashMap<_, _>| accepted.len() > 25 && judged.len() == USERS;
        for crash in 0..8 * CRASHES {
            if crash >= CRASHES && enough(&accepted, &judged) {
                break;
            }
            let told = logins_with_a_crash(&mut daemon, &users, crash);
            for (name, code) in told.accepted {
                let user = users.iter_mut().find(|user| user.name == name).unwrap();
                user.next = (user.next..user.next + STREAM).find(|n| user.seed.hotp(*n) == code).unwrap() + 1;
                assert!(accepted.insert((name, code.clone())), "accepted twice: {code}");
            }
            for user in told.judged_wrong {
                *judged.entry(user).or_default() += 1;
            }
        }
        assert!(enough(&accepted, &judged), "few logins got as far as a verdict");
        for (user, count) in &judged {
            let charged = daemon.json(&["show", user])["failures_30_days"].as_u64().unwrap();
            assert!(charged >= *count, "{user}: {count} wrong codes were judged, {charged} were counted");
        }
        assert_replays_are_refused(&daemon, &users, &accepted);
        daemon.stop();
        assert_eq!(sql(&database(&daemon), "PRAGMA integrity_check").trim(), "ok");
    });
}

fn logins_with_a_crash(daemon: &mut Daemon, users: &[User], crash: u64) -> Told {
    let sent = stream(users);
    let logins: Vec<Login<'_>> =
        sent.iter().map(|(user, code, _)| Login { user, answers: vec![code] }).collect();
    let run = std::thread::scope(|scope| {
        let logins = scope.spawn(|| Driver::new("app").at_once(users.len()).logins(&logins));
        // Any moment will do, and each round takes another one.
        pause(Duration::from_millis((crash * 37) % 150 + 3));
        daemon.kill();
        logins.join().unwrap()
    });
    daemon.begin();
    told(&run, &sent)
}

fn assert_replays_are_refused(daemon: &Daemon, users: &[User], accepted: &HashSet<(String, String)>) {
    for user in users {
        for (_, code) in accepted.iter().filter(|(name, _)| *name == user.name).take(12) {
            daemon.ctl(&["reset", &user.name]).ok(); // else a lock would refuse it
            assert_ne!(app(&user.name, code), "PAM_SUCCESS", "{}: {code} was accepted again", user.name);
        }
    }
}

#[test]
fn a_full_disk_denies_and_is_recovered_from() {
    world::enter("a_full_disk_denies_and_is_recovered_from", |world| {
        world.add_user("jane");
        let disk = world.small_disk("full", 2048);
        let daemon = Setup::new(world).state_dir(&disk).start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app("jane", &seed.hotp(0)), "PAM_SUCCESS");
        let filler = disk.join("filler");
        fill(&filler);
        // What is allocated already may still be written to; soon, more is needed.
        let (mut next, mut result) = (1, app("jane", &seed.hotp(1)));
        while result == "PAM_SUCCESS" {
            assert_ne!(app("jane", &seed.hotp(next)), "PAM_SUCCESS", "a code was taken twice");
            daemon.ctl(&["reset", "jane"]);
            fill(&filler);
            next += 1;
            assert!(next < 500, "500 logins were recorded on a full disk");
            result = app("jane", &seed.hotp(next));
        }
        assert_eq!(result, "PAM_AUTHINFO_UNAVAIL");
        // `status` tries with less than a login writes: what is left may take that a few times more.
        wait_until("the full disk is told", || daemon.ctl(&["status"]).code == Some(1));
        fs::remove_file(&filler).unwrap();
        assert_eq!(daemon.ctl(&["status"]).code, Some(0));
        // Not the codes sent while the disk was full: whether they were used up is not known.
        assert_eq!(app("jane", &seed.hotp(next + 1)), "PAM_SUCCESS", "it did not recover");
        assert_ne!(app("jane", &seed.hotp(next + 1)), "PAM_SUCCESS");
    });
}

/// Adds to a file until nothing more fits.
fn fill(path: &Path) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for size in [65536, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn a_read_only_disk_denies_and_is_recovered_from() {
    world::enter("a_read_only_disk_denies_and_is_recovered_from", |world| {
        world.add_user("jane");
        let disk = world.small_disk("readonly", 8192);
        let mut daemon = Setup::new(world).state_dir(&disk).start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("app", "");
        assert_eq!(app("jane", &seed.hotp(0)), "PAM_SUCCESS");
        // A file system cannot be made read-only while files are open for writing.
        daemon.stop();
        must(&["mount", "-o", "remount,ro", disk.to_str().unwrap()]);
        let started = daemon.try_begin();
        assert_ne!(app("jane", &seed.hotp(1)), "PAM_SUCCESS", "a login that cannot be recorded passed");
        must(&["mount", "-o", "remount,rw", disk.to_str().unwrap()]);
        if !started {
            daemon.begin(); // as the service manager would
        }
        assert_eq!(app("jane", &seed.hotp(2)), "PAM_SUCCESS", "it did not recover");
    });
}

#[test]
fn a_wrong_configuration_is_refused_with_all_that_is_wrong() {
    world::enter("a_wrong_configuration_is_refused_with_all_that_is_wrong", |world| {
        let mut daemon = Setup::new(world).prepare();
        let good = fs::read_to_string(&daemon.config).unwrap();
        let bad = [
            ("unknown key", "[core]\nsokcet = \"/run/x\"\n", "sokcet"),
            ("unknown section", "[plicy]\n", "plicy"),
            ("absurd limit", "[limits]\nburst = 0\n", "burst"),
            ("unknown word", "[limits]\nprofile = \"lax\"\n", "lax"),
            ("wrong type", "[totp]\nwindow = \"wide\"\n", "window"),
            ("no TOML", "[core\n", "1"),
        ];
        for (what, text, names) in bad {
            fs::write(&daemon.config, text).unwrap();
            let ran = mfa_tests::sys::run_with(&mut daemon.mfad(&["check-config"]), "");
            assert!(!matches!(ran.code, Some(0) | None), "{what} was taken: {ran:?}");
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains(names), "{what}: {said}");
            assert!(said.contains("mfad.toml:"), "{what}: no file and line in {said}");
            assert!(!daemon.try_begin(), "{what}: it started");
        }
        fs::write(&daemon.config, "[limits]\nburst = 0\n[policy]\nunenrolled = \"maybe\"\n").unwrap();
        let ran = mfa_tests::sys::run_with(&mut daemon.mfad(&["check-config"]), "");
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains("burst") && said.contains("maybe"), "not all at once: {said}");
        let note = "[[policy.rule]]\nname = \"gone\"\nmatch = { user = [\"no-such\"] }\naction = \"deny\"\n";
        fs::write(&daemon.config, good.clone() + note).unwrap();
        let said = mfa_tests::sys::run_with(&mut daemon.mfad(&["check-config"]), "").ok();
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() == 2 && lines[0].ends_with("mfad.toml: valid"), "{said}");
        assert!(lines[1].starts_with("note: ") && lines[1].contains("no account \"no-such\""), "{said}");
        fs::write(&daemon.config, good).unwrap();
        daemon.begin();
    });
}

#[test]
fn what_is_there_already_is_not_overwritten() {
    world::enter("what_is_there_already_is_not_overwritten", |world| {
        let daemon = Setup::new(world).prepare();
        let key = fs::read("/etc/mfad/key").unwrap();
        let again = mfa_tests::sys::run_with(&mut daemon.mfad(&["init"]), "");
        assert_ne!(again.code, Some(0));
        assert_eq!(fs::read("/etc/mfad/key").unwrap(), key);
    });
}
