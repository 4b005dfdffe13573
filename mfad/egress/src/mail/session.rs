//! One conversation with the server (RFC 5321): each step within the deadline, each answer of the class that
//! belongs there. Refuses to go on after any other answer.

use std::{error::Error as _, future::Future, io, net::SocketAddr, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Quit, Rcpt},
        response::{Response, Severity},
    },
};
use mfa_proto::text::escape_for_log;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};

use super::{MailLogin, MailTls, MailTrouble, Mailer, Reply, Stage, stream::LineByLine};

/// A connection after its greeting, protected as configured. Dropping it closes it.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    deadline: Instant,
}

impl Session {
    /// Connects to the first address that answers.
    pub(super) async fn open(mailer: &Mailer, deadline: Instant) -> Result<Self, MailTrouble> {
        let server = (mailer.server.as_str(), mailer.port);
        let addresses: Vec<_> = timeout_at(deadline, lookup_host(server))
            .await
            .map_err(|_| MailTrouble::Late(Stage::Connect))?
            .map_err(|e| MailTrouble::Unreachable(words(&e)))?
            .collect();
        let mut trouble = MailTrouble::Unreachable("its name has no address".to_owned());
        for (tried, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len().saturating_sub(tried)).unwrap_or(u32::MAX);
            match Self::begin(mailer, *address, share(deadline, left), deadline).await {
                Err(why @ MailTrouble::Unreachable(_)) => trouble = why,
                done => return done,
            }
        }
        Err(trouble)
    }

    /// Connects to one address within `wait`, and takes protection up.
    async fn begin(
        mailer: &Mailer,
        address: SocketAddr,
        wait: Duration,
        deadline: Instant,
    ) -> Result<Self, MailTrouble> {
        match (mailer.tls, &mailer.parameters) {
            (MailTls::StartTls, Some(parameters)) => {
                let mut session = Self::greet(mailer, address, wait, deadline).await?;
                session.protect(mailer, parameters.clone()).await?;
                Ok(session)
            }
            (MailTls::Implicit, Some(parameters)) => {
                let (hello, tls) = (&mailer.hello, Some(parameters.clone()));
                let greeting = AsyncSmtpConnection::connect_tokio1(address, Some(wait), hello, tls, None);
                let connection = within(deadline, Stage::Connect, greeting).await?;
                Ok(Self { connection, deadline })
            }
            (MailTls::None, _) if address.ip().to_canonical().is_loopback() => {
                Self::greet(mailer, address, wait, deadline).await
            }
            (MailTls::None, _) => Err(MailTrouble::NotLocal),
            // Not made by `Mailer::new`.
            (MailTls::StartTls | MailTls::Implicit, None) => Err(MailTrouble::NoStartTls),
        }
    }

    async fn greet(
        mailer: &Mailer,
        address: SocketAddr,
        wait: Duration,
        deadline: Instant,
    ) -> Result<Self, MailTrouble> {
        let stream = timeout(wait, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|e| MailTrouble::Unreachable(words(&e)))?;
        let greeting =
            AsyncSmtpConnection::connect_with_transport(Box::new(LineByLine(stream)), &mailer.hello);
        let connection = within(deadline, Stage::Connect, greeting).await?;
        Ok(Self { connection, deadline })
    }

    async fn protect(&mut self, mailer: &Mailer, parameters: TlsParameters) -> Result<(), MailTrouble> {
        if !self.connection.can_starttls() {
            return Err(MailTrouble::NoStartTls);
        }
        let upgrade = self.connection.starttls(parameters, &mailer.hello);
        within(self.deadline, Stage::StartTls, upgrade).await?;
        if self.connection.is_encrypted() { Ok(()) } else { Err(MailTrouble::NoStartTls) }
    }

    pub(super) async fn log_in(&mut self, login: &MailLogin) -> Result<(), MailTrouble> {
        let info = self.connection.server_info();
        if info.get_auth_mechanism(&MailLogin::MECHANISMS).is_none() {
            return Err(MailTrouble::NoLogin);
        }
        let credentials = login.credentials();
        let dialogue = self.connection.auth(&MailLogin::MECHANISMS, &credentials);
        let response = within(self.deadline, Stage::Login, dialogue).await?;
        expect(Stage::Login, &response, Severity::PositiveCompletion)
    }

    /// Hands the message over. Accepted is a 2xx after its last byte, nothing else.
    pub(super) async fn send(
        &mut self,
        from: &Address,
        to: &Address,
        message: &[u8],
    ) -> Result<(), MailTrouble> {
        let (done, go_on) = (Severity::PositiveCompletion, Severity::PositiveIntermediate);
        let sender = self.connection.command(Mail::new(Some(from.clone()), Vec::new()));
        expect(Stage::Sender, &within(self.deadline, Stage::Sender, sender).await?, done)?;
        let recipient = self.connection.command(Rcpt::new(to.clone(), Vec::new()));
        expect(Stage::Recipient, &within(self.deadline, Stage::Recipient, recipient).await?, done)?;
        let data = self.connection.command(Data);
        expect(Stage::Data, &within(self.deadline, Stage::Data, data).await?, go_on)?;
        let content = self.connection.message(message);
        expect(Stage::Message, &within(self.deadline, Stage::Message, content).await?, done)
    }

    /// Says goodbye, for the server's log. The message is taken: nothing that happens here matters.
    pub(super) async fn leave(mut self) {
        let until = self.deadline.min(Instant::now() + GOODBYE);
        drop(timeout_at(until, self.connection.command(Quit)).await);
    }
}

/// What one of `left` addresses may take: an address that swallows packets must leave time for the next.
fn share(deadline: Instant, left: u32) -> Duration {
    let remaining = deadline.saturating_duration_since(Instant::now());
    remaining.checked_div(left).unwrap_or(remaining)
}

/// One step of lettre's, until the deadline.
async fn within<T>(
    deadline: Instant,
    stage: Stage,
    step: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, MailTrouble> {
    match timeout_at(deadline, step).await {
        Ok(result) => result.map_err(|error| trouble(stage, &error)),
        Err(_) => Err(MailTrouble::Late(stage)),
    }
}

/// lettre takes any 2xx or 3xx for success. One that does not belong here is an answer to something else.
fn expect(stage: Stage, response: &Response, severity: Severity) -> Result<(), MailTrouble> {
    if response.code().severity == severity { Ok(()) } else { Err(MailTrouble::Broken(stage)) }
}

/// Says what an error means here. Its own text stays behind: it repeats what the server said.
fn trouble(stage: Stage, error: &SmtpError) -> MailTrouble {
    if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        return MailTrouble::Refused { stage, reply: Reply::new(code.into(), &text) };
    }
    match system(error).map(|source| (source.kind(), source)) {
        Some((io::ErrorKind::InvalidData, source)) if matches!(stage, Stage::Connect | Stage::StartTls) => {
            MailTrouble::Tls(words(source))
        }
        Some((kind, source)) if stage == Stage::Connect && is_unreachable(kind) => {
            MailTrouble::Unreachable(words(source))
        }
        _ => MailTrouble::Broken(stage),
    }
}

/// What the system or rustls had to say: lettre wraps it more than once.
fn system(error: &SmtpError) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<io::Error>() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// Before a connection stands; nothing is known of the server yet.
fn is_unreachable(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    matches!(kind, ConnectionRefused | HostUnreachable | NetworkUnreachable | TimedOut)
}

/// What system or rustls said: bounded, on one line. Names from certificates can be in it, mail addresses not.
fn words(error: &io::Error) -> String {
    escape_for_log(&error.to_string().chars().take(MAX_WORDS).collect::<String>())
}

const MAX_WORDS: usize = 200;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
