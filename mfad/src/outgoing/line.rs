//! Where egress is, and who may listen there. Refuses to take a stranger for it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mfa_proto::name::{UserId, UserName};
use mfa_role::peers;
use tokio::{net::UnixStream, sync::OnceCell};

use super::Undone;
use crate::identity::{Account, Accounts, Directory};

/// Where egress is, whose it is, and how long it may take.
#[derive(Debug)]
pub struct Line {
    socket: PathBuf,
    patience: Duration,
    user: Option<UserName>,
    directory: Directory,
    /// The uid of `user`, once it was needed.
    uid: OnceCell<Option<u32>>,
}

impl Line {
    /// A line to `socket`, where root, this process's own user, or `user` may listen. Each errand has
    /// `patience`; `accounts` says who `user` is.
    pub fn new(
        socket: PathBuf,
        user: Option<UserName>,
        patience: Duration,
        accounts: Arc<dyn Accounts>,
    ) -> Self {
        let directory = Directory::new(Some(accounts), patience);
        Self { socket, patience, user, directory, uid: OnceCell::new() }
    }

    /// How long one errand may take, from connecting to its result.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Connects to whoever may listen there.
    pub(super) async fn connect(&self) -> Result<UnixStream, Undone> {
        let unreachable = |error| Undone::Unreachable { socket: self.shown(), error };
        let (stream, uid) = peers::connect(&self.socket).await.map_err(unreachable)?;
        if self.may_listen(uid).await {
            Ok(stream)
        } else {
            Err(Undone::Stranger { socket: self.shown(), uid })
        }
    }

    /// Whether `uid` is root, this process's own, or that of egress. The account database is asked only
    /// when it has to be; what it cannot say is no.
    pub(super) async fn may_listen(&self, uid: u32) -> bool {
        if uid == 0 || uid == nix::unistd::geteuid().as_raw() {
            return true;
        }
        let Some(user) = &self.user else { return false };
        let look_up = || async {
            Ok::<_, crate::identity::LookupError>(
                match self.directory.find(&UserId::local(user.clone())).await? {
                    Account::Known { uid } => Some(uid),
                    Account::Unknown | Account::Unchecked => None,
                },
            )
        };
        self.uid.get_or_try_init(look_up).await.is_ok_and(|known| *known == Some(uid))
    }

    fn shown(&self) -> String {
        self.socket.display().to_string()
    }
}
