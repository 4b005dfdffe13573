//! The process that checks one password: started, given the request on its standard input, ended at the
//! deadline with its process group (what detaches itself from that, as `pam_exec`'s programs do, counts against
//! the unit's `TasksMax=`). Refuses to take anything but a whole reply and a good end for an answer.

use std::{process::Stdio, time::Duration};

use mfa_proto::{
    codec::{self, CodecError},
    password::{Reply, Request},
};
use mfa_role::{
    prover::Way,
    wire::{Wire, WireError},
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncWriteExt as _, join},
    process::{Child, Command},
};

/// This very program, also when another version was put in its place.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    #[error("a process to check it cannot be started: {0}")]
    Start(std::io::Error),
    #[error("the process that checks it did not take the request: {0}")]
    Hand(std::io::Error),
    #[error("the request cannot be written: {0}")]
    Encode(#[from] CodecError),
    #[error("the process that checks it gave no answer: {0}")]
    Answer(#[from] WireError),
    #[error("the process that checks it failed: {0}")]
    End(String),
    #[error("PAM did not answer within {0:?}; a module of the service hangs")]
    Late(Duration),
}

/// Passwords are checked by PAM.
#[derive(Clone, Debug)]
pub(crate) struct Pam {
    /// The PAM service.
    pub(crate) service: String,
    /// How long it may take.
    pub(crate) deadline: Duration,
}

impl Way for Pam {
    type Error = ChildError;

    async fn take(&self, request: &Request) -> Result<Reply, ChildError> {
        let child = Command::new(THIS_PROGRAM)
            .args(["prove", "--service", &self.service])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: what a module started ends with it.
            .process_group(0)
            .spawn()
            .map_err(ChildError::Start)?;
        let mut group = Group(child);
        match tokio::time::timeout(self.deadline, group.converse(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ChildError::Late(self.deadline)),
        }
    }
}

/// A process and its group; ended when dropped.
struct Group(Child);

impl Group {
    async fn converse(&mut self, request: &Request) -> Result<Reply, ChildError> {
        let lost = || ChildError::End("it has no standard input and output".to_owned());
        let (mut input, output) =
            (self.0.stdin.take().ok_or_else(lost)?, self.0.stdout.take().ok_or_else(lost)?);
        let frame = codec::encode(request)?;
        input.write_all(&frame).await.map_err(ChildError::Hand)?;
        drop(input);
        let reply = Wire::new(join(output, tokio::io::sink())).read().await?;
        let status = self.0.wait().await.map_err(|e| ChildError::End(e.to_string()))?;
        if status.success() { Ok(reply) } else { Err(ChildError::End(status.to_string())) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its number is its own until it was waited for, after which there is none.
        let Some(pid) = self.0.id().and_then(|id| i32::try_from(id).ok()) else { return };
        if let Err(error) = killpg(Pid::from_raw(pid), Signal::SIGKILL) {
            // Gone already is as good as ended.
            tracing::debug!("a process that checked a password was gone before it was ended: {error}");
        }
    }
}
