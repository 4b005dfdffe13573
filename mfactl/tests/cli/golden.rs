//! Compares whole outputs with files in `tests/golden`. `MFACTL_GOLDEN=write` writes them anew: look at
//! the difference before it is committed.

use std::fmt::Write;
use std::path::Path;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::run::{Ran, run};

/// Compares `text` with the golden file `name`.
pub(crate) fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("MFACTL_GOLDEN").is_some_and(|how| how == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{name} differs.\n--- expected\n{expected}\n--- got\n{text}");
}

/// A run as text: the command, what the daemon saw, what was printed, the exit code.
pub(crate) fn transcript(arguments: &[&str], seen: &[Seen], ran: &Ran, socket: &Path) -> String {
    let mut text = format!("$ mfactl {}\n", arguments.join(" "));
    for message in seen {
        writeln!(text, "> {message:?}").unwrap();
    }
    write!(text, "--- stdout\n{}--- stderr\n{}--- exit {}\n", ran.stdout, ran.stderr, ran.code).unwrap();
    text.replace(socket.to_str().unwrap(), "SOCKET")
}

/// Runs each command line twice, the second time with `--json`, and compares all of it with a golden file.
pub(crate) fn both(name: &str, arguments: &[&str], stdin: &str, script: impl Fn() -> Script) {
    let mut text = String::new();
    for json in [false, true] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(json.then_some("--json")).collect();
        let daemon = FakeDaemon::start(script());
        let socket = daemon.socket();
        let ran = run(&socket, &arguments, stdin);
        if json {
            assert_json_lines(&ran.stdout);
        }
        text.push_str(&transcript(&arguments, &daemon.finish(), &ran, &socket));
    }
    check(name, &text);
}

fn assert_json_lines(stdout: &str) {
    for line in stdout.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line of stdout is not JSON");
        assert!(value.is_object(), "{line}");
    }
}
