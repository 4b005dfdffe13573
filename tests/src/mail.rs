//! A mail server of a world: aiosmtpd, which keeps what it takes. Refuses to send anything on.

use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command},
};

use crate::sys::wait_until;

/// A running server that keeps messages in a maildir of the world; ended when dropped.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    maildir: PathBuf,
}

impl MailServer {
    const PORT: u16 = 2525;

    /// Starts it and waits until it takes connections.
    #[track_caller]
    pub fn start() -> Self {
        let maildir = PathBuf::from("/tmp/maildir");
        let script = format!(
            "import sys, time\nfrom aiosmtpd.controller import Controller\nfrom aiosmtpd.handlers import Mailbox\n\
             Controller(Mailbox('{}'), hostname='127.0.0.1', port={}).start()\ntime.sleep(3600)\n",
            maildir.display(),
            Self::PORT
        );
        // Debian's, which has aiosmtpd; `python3` may be another one.
        let child = Command::new("/usr/bin/python3").args(["-c", &script]).spawn().expect("python3 starts");
        wait_until("the mail server takes connections", || {
            TcpStream::connect(("127.0.0.1", Self::PORT)).is_ok()
        });
        Self { child, maildir }
    }

    /// The section of a configuration that sends mail to it; more keys may follow.
    pub fn section() -> String {
        let port = Self::PORT;
        format!(
            "[mail]\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"mfad@example.org\"\n"
        )
    }

    /// Waits for the message with this number, from 1; as it was received.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> String {
        let messages = || -> Vec<_> {
            let entries = fs::read_dir(self.maildir.join("new")).into_iter().flatten().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
            paths
                .sort_by_key(|path| fs::metadata(path).expect("it stays").modified().expect("it has a time"));
            paths
        };
        wait_until("the message is there", || messages().len() >= count);
        fs::read_to_string(&messages()[count - 1]).expect("mail is text")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
