//! One call over HTTP: one connection, one request, one answer of bounded size, until a deadline.
//!
//! Refuses redirects, proxies of the environment, cookies, decompression, connections that are used
//! again, and sending a second time: what was sent may have arrived. Never repeats what an address, a
//! request or an answer held.

mod error;
mod trust;

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use mfa_role::config::{self, Access};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
    redirect, retry,
};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

pub use self::{
    error::CallError,
    trust::{Trust, TrustError},
};
use crate::secrets::{Secret, Secrets};

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 64 * 1024;
/// The most headers of an answer.
const MAX_HEADERS: usize = 64;

/// What a call sends.
pub enum Payload {
    /// Nothing.
    None,
    /// A body of a type.
    Some(&'static str, Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload(redacted)")
    }
}

/// The type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The type of JSON.
pub const JSON: &str = "application/json";

/// One request: all of it filled in.
pub struct Request {
    /// How.
    pub method: config::Method,
    /// Path and query, percent-encoded.
    pub path: Zeroizing<String>,
    /// Headers beside those of HTTP itself.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// What is sent.
    pub payload: Payload,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(redacted)")
    }
}

/// What came back, whole.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, as it came.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

/// Calls one host. Holds no connection.
pub struct Caller {
    client: Client,
    origin: String,
    proof: Proof,
}

/// What proves who calls.
enum Proof {
    None,
    Basic(String, Secret),
    Bearer(Secret),
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Caller {
    /// Prepares calls to the host of `url`, each of which may take `timeout`. The error says what is wrong
    /// with the configuration.
    pub fn new(
        url: &config::Url,
        access: &Access,
        timeout: Duration,
        (trust, credentials): (&Trust, &Secrets),
    ) -> Result<Self, String> {
        let mut builder = Client::builder()
            .user_agent("mfad")
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .https_only(url.is_https())
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            .pool_max_idle_per_host(0)
            .connect_timeout(timeout)
            .timeout(timeout)
            .tls_backend_preconfigured(if url.is_https() {
                trust.client(access.ca.as_deref()).map_err(|error| error.to_string())?
            } else {
                Trust::nobody().map_err(|error| error.to_string())?
            });
        if url.host.eq_ignore_ascii_case("localhost") {
            // Plain HTTP may go there: no name server has a say in where that is. The port is the URL's.
            let here = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
            let here: [SocketAddr; 2] = here;
            builder = builder.resolve_to_addrs("localhost", &here);
        }
        let client = builder.build().map_err(|_| "the HTTP client cannot be made".to_owned())?;
        let missing = |name: &str| format!("credential \"{name}\" was not read");
        let proof = match (&access.user, &access.credential) {
            (_, None) => Proof::None,
            (user, Some(name)) => {
                let secret = credentials.get(name).ok_or_else(|| missing(name))?.clone();
                match user {
                    Some(user) => Proof::Basic(user.clone(), secret),
                    None => Proof::Bearer(secret),
                }
            }
        };
        if let Proof::Bearer(token) = &proof
            && !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err("the bearer token has other characters than ASCII in it".to_owned());
        }
        Ok(Self { client, origin: url.origin.clone(), proof })
    }

    /// Sends a request and waits for its answer, all of it until `deadline`.
    pub async fn call(&self, request: Request, deadline: Instant) -> Result<Answer, CallError> {
        let request = self.prepare(request)?;
        let call = async {
            let response = request.send().await.map_err(CallError::of)?;
            let status = response.status().as_u16();
            Ok(Answer { status, body: read_body(response).await? })
        };
        timeout_at(deadline, call).await.map_err(|_| CallError::Late)?
    }

    fn prepare(&self, request: Request) -> Result<RequestBuilder, CallError> {
        let method = match request.method {
            config::Method::Get => Method::GET,
            config::Method::Post => Method::POST,
            config::Method::Put => Method::PUT,
        };
        let mut builder = self.client.request(method, self.address(&request.path)?);
        builder = match &self.proof {
            Proof::None => builder,
            Proof::Basic(user, password) => builder.basic_auth(user, Some(password.expose())),
            Proof::Bearer(token) => {
                builder.header(AUTHORIZATION, secret_value(&format!("Bearer {}", token.expose()))?)
            }
        };
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| CallError::Unfit("header"))?;
            builder = builder.header(name, secret_value(value)?);
        }
        Ok(match request.payload {
            Payload::None => builder,
            Payload::Some(kind, mut body) => {
                builder.header(CONTENT_TYPE, kind).body(std::mem::take(&mut *body))
            }
        })
    }

    /// The whole address. What was filled in must not have moved it: `..` for a name would.
    fn address(&self, path: &str) -> Result<reqwest::Url, CallError> {
        let unfit = CallError::Unfit("address");
        let whole = Zeroizing::new(format!("{}{path}", self.origin));
        let url = reqwest::Url::parse(&whole).map_err(|_| CallError::Unfit("address"))?;
        let segments = |path: &str| path.split('/').count();
        let plain = path.split(['?', '#']).next().unwrap_or_default();
        let same_place = url.origin().ascii_serialization() == origin_of(&self.origin)
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if same_place && segments(url.path()) == segments(plain) { Ok(url) } else { Err(unfit) }
    }
}

/// Scheme, host and port as a parsed address shows them.
fn origin_of(origin: &str) -> String {
    reqwest::Url::parse(origin).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

fn secret_value(text: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CallError::Unfit("header"))?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read_body(mut response: Response) -> Result<Zeroizing<Vec<u8>>, CallError> {
    let too_long = |length: u64| usize::try_from(length).map_or(true, |length| length > MAX_ANSWER);
    if response.content_length().is_some_and(too_long) {
        return Err(CallError::TooLong);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
    while let Some(chunk) = response.chunk().await.map_err(CallError::of)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(CallError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
