//! One run of the program that logs in.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Place, driver, module};

/// Seconds after which a run counts as hanging.
const HANGING: &str = "40";

/// A login to be run: a PAM stack, and what the program does.
pub(crate) struct Login {
    before: Vec<String>,
    after: Vec<String>,
    module: PathBuf,
    arguments: Vec<String>,
    options: Vec<OsString>,
    wrapper: Vec<OsString>,
}

impl Login {
    /// A login as `jane` through the module and then `pam_permit.so`.
    pub(crate) fn new() -> Self {
        let permit = |kind| format!("{kind} required pam_permit.so");
        Self {
            before: Vec::new(),
            after: vec![permit("auth")],
            module: module().to_owned(),
            arguments: Vec::new(),
            options: Vec::new(),
            wrapper: Vec::new(),
        }
        .with("--user", "jane")
    }

    /// Without `pam_permit.so`: shows whether the module itself said yes.
    pub(crate) fn alone(mut self) -> Self {
        self.after.clear();
        self
    }

    /// A line of the stack before the module.
    pub(crate) fn after_line(mut self, line: &str) -> Self {
        self.before.push(line.to_owned());
        self
    }

    /// A line of the stack after the module.
    pub(crate) fn before_line(mut self, line: &str) -> Self {
        self.after.insert(0, line.to_owned());
        self
    }

    /// Another module.
    pub(crate) fn through(mut self, module: &Path) -> Self {
        module.clone_into(&mut self.module);
        self
    }

    /// An argument of the module.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// The argument `socket=`.
    pub(crate) fn at(self, socket: &Path) -> Self {
        self.argument(&format!("socket={}", socket.display()))
    }

    /// An option of the program; of `--answer` there can be several, of others the first counts.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let options = [OsStr::new(name).to_owned(), value.as_ref().to_owned()];
        let at = if name == "--user" { 0 } else { self.options.len() };
        self.options.splice(at..at, options);
        self
    }

    /// What the person types at the next prompt.
    pub(crate) fn types(self, answer: &str) -> Self {
        self.with("--answer", answer)
    }

    /// Runs the program by another one.
    pub(crate) fn by(mut self, wrapper: &[&OsStr]) -> Self {
        self.wrapper = wrapper.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// Runs it in `place`, and checks that it printed nothing and came to its end.
    pub(crate) fn run(self, place: &Place) -> Report {
        let configuration = place.directory("pam.d");
        fs::write(configuration.join("driver"), self.stack()).unwrap();
        // In a directory of its own that every user can write to.
        let reports = place.directory("report");
        super::set_mode(&reports, 0o777);
        let report = reports.join("report");
        let mut command = Command::new("timeout");
        command.args(["--kill-after=1", HANGING]).args(&self.wrapper).arg(driver());
        command
            .arg("--report")
            .arg(&report)
            .arg("--confdir")
            .arg(&configuration)
            .args(["--service", "driver"]);
        let output = command.args(&self.options).env("RUST_BACKTRACE", "1").output().unwrap();
        let printed = [output.stdout.as_slice(), &output.stderr].concat();
        assert_eq!(String::from_utf8_lossy(&printed), "", "something was printed");
        assert!(output.status.success(), "{:?}", output.status);
        let lines = String::from_utf8_lossy(&fs::read(report).unwrap()).lines().map(str::to_owned).collect();
        let report = Report { lines };
        assert_eq!(report.of("done"), [""], "{report:?}");
        report
    }

    fn stack(&self) -> String {
        let ours =
            |kind: &str| format!("{kind} required {} {}", self.module.display(), self.arguments.join(" "));
        let mut lines = self.before.clone();
        lines.push(ours("auth"));
        lines.extend_from_slice(&self.after);
        for kind in ["account", "session", "password"] {
            lines.push(ours(kind));
            lines.push(format!("{kind} required pam_permit.so"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// What the program saw, line by line.
#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<String>,
}

impl Report {
    /// The rest of each line that begins with `what`.
    pub(crate) fn of(&self, what: &str) -> Vec<&str> {
        let begins = format!("{what} ");
        self.lines.iter().filter_map(|line| line.strip_prefix(&begins)).collect()
    }

    /// What a phase came to.
    pub(crate) fn code(&self, phase: &str) -> i32 {
        let codes = self.of(phase);
        assert!(!codes.is_empty(), "no {phase} in {self:?}");
        codes[0].parse().unwrap()
    }

    /// What authentication came to.
    pub(crate) fn authenticated(&self) -> i32 {
        self.code("authenticate")
    }

    /// The module's lines for the system log.
    pub(crate) fn log(&self) -> String {
        self.of("log").join("\n")
    }
}
