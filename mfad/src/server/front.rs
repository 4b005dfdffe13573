//! The socket of front ends such as `mfad-web`: who asks is the kernel's word, on whose behalf is theirs, and
//! what that client may ask is the configuration's.
//!
//! A front end that was taken over can name any client, so it can do at most what all of them may together.
//! Refuses every other peer, and what no right covers, such as reloads, copies, and codes for emergencies
//! but for a factor that was lost.

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    admin::{Refusal, RefusalCode, Reply},
    answer::AnswerShape,
    front::{Ask, Ended, FrontMessage, Verify, What},
    hello::{Hello, NEWEST, OLDEST, Protocol, Welcome},
    login::Verdict,
    name::{Claim, ClientName, UserId},
    secret::SecretText,
    text::ShownText,
};
use mfa_role::peers;
use tokio::{
    net::{UnixListener, UnixStream},
    time::timeout,
};
use tracing::{debug, warn};

use super::{
    ACCEPT_PAUSE, HELLO_PATIENCE, Peer,
    admission::Admission,
    login, password,
    wire::{Wire, WireError},
};
use crate::{
    admin,
    audit::{Context, SessionId},
    config::{Right, WebClient},
    core::Core,
    settings::Settings,
};

/// A front end that does not take a reply for so long has gone away.
const PATIENCE: Duration = Duration::from_secs(5);

/// On whose behalf something is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Behalf {
    /// The client, as the configuration calls it.
    pub(crate) client: ClientName,
    /// Where it asks from.
    pub(crate) address: Option<Claim>,
    /// Where the person is, when the client has said so.
    pub(crate) source: Option<Claim>,
}

impl Behalf {
    /// Where the trail has a change come from: what is known of the person, else of the client.
    pub(crate) fn origin(&self) -> Option<&Claim> {
        self.source.as_ref().or(self.address.as_ref())
    }

    /// A client's question about a person, for the trail.
    pub(super) fn context(&self, user: UserId, (peer, client): (Peer, &WebClient)) -> Context {
        Context {
            session: SessionId::fresh(),
            user,
            service: client.service.clone(),
            // Never the client's own address: what watches the log must not ban a gateway for what people type.
            source: self.source.clone(),
            actor: peer.uid,
            client: Some(self.client.clone()),
        }
    }

    fn refuse(&self, right: &str) {
        warn!(client = %self.client, "client {} was refused: it has not the right: {right}", self.client);
    }
}

/// Serves one socket until the task is dropped. Peers of `allowed` uids are front ends.
pub async fn serve(core: Arc<Core>, socket: UnixListener, (allowed, admission): (Arc<[u32]>, Admission)) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let (core, allowed, admission) = (Arc::clone(&core), Arc::clone(&allowed), admission.clone());
                tokio::spawn(async move { connection(&core, stream, (&allowed, &admission)).await });
            }
            Err(error) => {
                warn!("cannot accept a front end: {error}; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(core: &Arc<Core>, stream: UnixStream, (allowed, admission): (&[u32], &Admission)) {
    let only = "only the account of [web] user is a front end";
    let Some(uid) = peers::admitted(&stream, allowed, only) else { return };
    let peer = Peer { uid };
    // It is one process for many clients: it has no pace, and all places of its socket.
    let Some(_place) = admission.enter_unpaced(peer.uid, core.settings().caps()) else {
        warn!(uid = peer.uid, "a front end was refused: [core] max_connections are open");
        return;
    };
    let mut wire = Wire::new(stream);
    if let Err(error) = converse(core, &mut wire, peer).await {
        debug!(uid = peer.uid, "a front end ended: {error}");
    }
}

async fn converse(core: &Arc<Core>, wire: &mut Wire<UnixStream>, peer: Peer) -> Result<(), WireError> {
    let greeting = async {
        let hello: Hello = wire.read().await?;
        let welcome = hello.answer(OLDEST, NEWEST);
        wire.write(&welcome).await?;
        Ok::<_, WireError>((hello.protocol, welcome))
    };
    match timeout(HELLO_PATIENCE, greeting).await {
        Ok(Ok((Protocol::Front, Welcome::Version(_)))) => {}
        Ok(Ok((
            Protocol::Front | Protocol::Login | Protocol::Admin | Protocol::Egress | Protocol::Password,
            Welcome::Version(_) | Welcome::Unsupported { .. } | Welcome::Busy,
        )))
        | Err(_) => return Ok(()),
        Ok(Err(error)) => return Err(error),
    }
    loop {
        let ask: Ask = match wire.read().await {
            Err(WireError::Closed) => return Ok(()),
            ask => ask?,
        };
        answer(core, wire, peer, ask).await?;
    }
}

async fn answer(
    core: &Arc<Core>,
    wire: &mut Wire<UnixStream>,
    peer: Peer,
    ask: Ask,
) -> Result<(), WireError> {
    let settings = core.settings();
    let Ask { client, address, source, what } = ask;
    let behalf = Behalf { client, address, source };
    let mut clients = settings.config().web().clients.iter();
    let client = clients.find(|client| client.name == behalf.client);
    match what {
        What::Verify(verify) => {
            let client = client.filter(|client| may_ask(client, &verify));
            let asker = Asker { peer, settings: Arc::clone(&settings), client, behalf: &behalf };
            asker.verify(core, wire, async { Some(*verify) }).await
        }
        What::VerifyDevice(device) => {
            let client = client.filter(|client| client.rights.include(Right::Verify));
            let asker = Asker { peer, settings: Arc::clone(&settings), client, behalf: &behalf };
            asker.verify(core, wire, login::by_device(core, *device)).await
        }
        What::Deliver(deliver) => {
            // Messages go out unasked: only for whoever has proven a password, whatever the configuration has.
            let may = |client: &&WebClient| client.rights.include(Right::Deliver) && client.password_proven;
            let reply = if let Some(client) = client.filter(may) {
                let asker = (peer, Arc::clone(&settings), client);
                login::deliver(core, asker, (&behalf, *deliver)).await
            } else {
                let lacking = Lacking::Right(Right::Deliver);
                behalf.refuse(lacking.word());
                Reply::Refused(lacking.told())
            };
            wire.write_within(PATIENCE, &reply).await
        }
        What::Password(user) => {
            if let Some(client) = client.filter(|client| has_passwords_proven(client)) {
                return password::attend(core, wire, (peer, client), (&behalf, *user)).await;
            }
            behalf.refuse("login_page with verify");
            password::refuse(wire).await
        }
        What::Admin(request) => {
            let reply = match lacking(client, admin::rights_of(&request)) {
                None => admin::answer(core, peer, behalf, *request).await,
                Some(lacking) => {
                    behalf.refuse(lacking.word());
                    Reply::Refused(lacking.told())
                }
            };
            wire.write_within(PATIENCE, &reply).await
        }
    }
}

/// Who asks for a verification.
struct Asker<'a> {
    peer: Peer,
    settings: Arc<Settings>,
    /// `None` when it may not.
    client: Option<&'a WebClient>,
    behalf: &'a Behalf,
}

impl Asker<'_> {
    /// Serves a verification, which is looked into only for a client that may ask for it.
    async fn verify(
        self,
        core: &Arc<Core>,
        wire: &mut Wire<UnixStream>,
        verify: impl Future<Output = Option<Verify>>,
    ) -> Result<(), WireError> {
        let Self { peer, settings, client, behalf } = self;
        let Some(client) = client else {
            behalf.refuse(Right::Verify.word());
            return wire.write_within(PATIENCE, &FrontMessage::Ended(not_judged())).await;
        };
        match verify.await {
            Some(verify) => login::verify(core, wire, (peer, settings, client), (behalf, verify)).await,
            None => wire.write_within(PATIENCE, &FrontMessage::Ended(not_judged())).await,
        }
    }
}

/// Whether a client may have this verified. Who may have tokens verified brings one, and nothing else.
fn may_ask(client: &WebClient, verify: &Verify) -> bool {
    let is_token = |answer: &SecretText| AnswerShape::TOKEN.parse(answer.expose()).is_some();
    let rights = &client.rights;
    rights.include(Right::Verify)
        || (rights.include(Right::TokenVerify)
            && verify.choose.is_none()
            && verify.answer.as_ref().is_some_and(is_token))
}

/// Whether people give this client their passwords: the page where they log in, and no other.
fn has_passwords_proven(client: &WebClient) -> bool {
    client.proof.login_page && client.rights.include(Right::Verify)
}

/// Why a client may not.
enum Lacking {
    /// It has not this right.
    Right(Right),
    /// No right covers it.
    Roots,
}

/// What keeps a client from what takes these rights; `None` when it has them all. Who is no client has none.
fn lacking(client: Option<&WebClient>, rights: Option<&[Right]>) -> Option<Lacking> {
    let Some((first, _)) = rights.and_then(<[Right]>::split_first) else { return Some(Lacking::Roots) };
    let Some(client) = client else { return Some(Lacking::Right(*first)) };
    let missing = rights.into_iter().flatten().find(|right| !client.rights.include(**right));
    missing.map(|right| Lacking::Right(*right))
}

impl Lacking {
    fn word(&self) -> &'static str {
        match self {
            Self::Right(right) => right.word(),
            Self::Roots => "what is root's alone",
        }
    }

    fn told(&self) -> Refusal {
        let message = match self {
            Self::Right(right) => {
                format!("this client may not: add \"{}\" to its rights in [[web.client]]", right.word())
            }
            Self::Roots => "only root may do this, on the host itself".to_owned(),
        };
        Refusal { code: RefusalCode::NotAllowed, message: ShownText::clean(&message) }
    }
}

/// Says nothing of the person.
fn not_judged() -> Ended {
    Ended { verdict: Verdict::Unavailable, unjudged: true, wait: 0, factor: None, session: String::new() }
}
