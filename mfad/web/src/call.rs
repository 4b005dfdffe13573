//! One request as dialects see it: whose it is, what it asks for, what it carries.
//!
//! Refuses bodies that are too long or of a type that was not asked for, before they take memory.

use std::{net::IpAddr, sync::Arc};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Body as _, Incoming},
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    http::request::Parts,
};
use mfa_role::config::WebListen;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    answer::Answer,
    clients::{Certificate, Shown, Unknown},
    origin,
    router::State,
    verify::Desk,
};

/// What is known of the connection that a request came over.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The listener.
    pub listen: Arc<WebListen>,
    /// The address at the other end.
    pub peer: IpAddr,
    /// The certificate that was shown and found good.
    pub certificate: Option<Arc<Certificate>>,
}

/// Why a body cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadBody {
    /// It is longer than `[web] max_body`.
    #[error("the body is too long")]
    TooLong,
    /// It did not come whole.
    #[error("the body did not come whole")]
    Broken,
    /// It is of another type than was asked for.
    #[error("the body is of another type: send application/json or application/x-www-form-urlencoded")]
    Type,
    /// It is not what its type says, or not what was asked for.
    #[error("the body cannot be read: {0}")]
    Content(&'static str),
}

impl BadBody {
    /// The status that says so.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken | Self::Content(_) => StatusCode::BAD_REQUEST,
            Self::Type => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// One request.
#[derive(Debug)]
pub struct Call {
    state: Arc<State>,
    facts: Facts,
    head: Parts,
    body: Option<Incoming>,
    address: Option<IpAddr>,
    /// Where the path goes on behind the prefix of the dialect.
    prefix: usize,
}

impl Call {
    /// Takes a request over.
    pub fn new(state: Arc<State>, facts: Facts, request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        let address = origin::address(facts.peer, &head.headers, &facts.listen.trusted_proxies);
        Self { state, facts, head, body: Some(body), address, prefix: 0 }
    }

    pub(crate) fn set_prefix(&mut self, prefix: usize) {
        self.prefix = prefix;
    }

    /// What web knows now: configuration, clients, the way to core.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How it asks.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// What it asks for, behind the prefix of the dialect. Never decoded: no path of ours needs that.
    pub fn path(&self) -> &str {
        self.head.uri.path().get(self.prefix..).unwrap_or_default()
    }

    /// The whole path, for the log.
    pub fn whole_path(&self) -> &str {
        self.head.uri.path()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Where it comes from: what trusted proxies say, else the other end of the connection.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whose it is, and the way to ask core for that client.
    pub fn client(&self) -> Result<Desk, Unknown> {
        let client = self.state.clients.identify(&self.shown())?;
        Ok(self.state.desk(client, self.address))
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            method: self.head.method.as_str(),
            target: self.head.uri.path_and_query().map_or("/", |target| target.as_str()),
            headers: &self.head.headers,
            certificate: self.facts.certificate.as_deref(),
            address: self.address,
        }
    }

    /// The way to ask core for people at the login page, whoever the request is from.
    pub fn login_page(&self) -> Result<Desk, Unknown> {
        let page = self.state.clients.login_page(self.address)?;
        Ok(self.state.desk(page, self.address))
    }

    /// Adds what a client without a proof is asked for.
    pub fn asking_for_proof(&self, answer: Answer) -> Answer {
        let challenges = self.state.clients.challenges(&self.shown());
        challenges.iter().fold(answer, |answer, challenge| answer.with(WWW_AUTHENTICATE, challenge))
    }

    /// The parameters of the query.
    pub fn query(&self) -> Params {
        Params::parse(self.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// Query and body together, whether that is a form, a flat object of JSON, or nothing. What stands in both is
    /// taken from the body.
    pub async fn params(&mut self) -> Result<Params, BadBody> {
        let mut params = self.query();
        let body = self.bytes().await?;
        if body.is_empty() {
            return Ok(params);
        }
        let more = match self.kind() {
            Some("application/x-www-form-urlencoded") => Params::parse(&body),
            Some("application/json") => Params::of_json(&body)?,
            Some(_) | None => return Err(BadBody::Type),
        };
        params.0.splice(0..0, more.take());
        Ok(params)
    }

    /// The body as JSON.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, BadBody> {
        if self.kind() != Some("application/json") {
            return Err(BadBody::Type);
        }
        let body = self.bytes().await?;
        // What is wrong is not repeated: it may stand beside a code.
        serde_json::from_slice(&body)
            .map_err(|_| BadBody::Content("it is not the JSON that the documentation describes"))
    }

    /// The type of the body, without its parameters.
    fn kind(&self) -> Option<&str> {
        let value = self.head.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = value.split(';').next()?.trim();
        ["application/json", "application/x-www-form-urlencoded"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(kind))
            .or(Some("other"))
    }

    /// The whole body, once.
    pub async fn bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, BadBody> {
        let Some(body) = self.body.take() else { return Ok(Zeroizing::default()) };
        let most = usize::try_from(self.state.web.max_body).unwrap_or(usize::MAX);
        let announced = body.size_hint().lower();
        if usize::try_from(announced).map_or(true, |announced| announced > most) {
            return Err(BadBody::TooLong);
        }
        let mut limited = Limited::new(body, most);
        let mut whole = Zeroizing::new(Vec::with_capacity(usize::try_from(announced).unwrap_or(0)));
        while let Some(frame) = limited.frame().await {
            let frame = frame.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => BadBody::TooLong,
                None => BadBody::Broken,
            })?;
            if let Some(data) = frame.data_ref() {
                whole.extend_from_slice(data);
            }
        }
        Ok(whole)
    }
}

/// Named values, as they came. Wiped when dropped: codes are among them.
#[derive(Default)]
pub struct Params(Vec<(String, String)>);

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Params(redacted)")
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl Params {
    /// Of a query or a form.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// Of an object of JSON whose values have no parts.
    pub fn of_json(bytes: &[u8]) -> Result<Self, BadBody> {
        let flat = BadBody::Content("it is no flat object of JSON");
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).map_err(|_| flat)?;
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::Bool(truth) => Some(truth.to_string()),
            serde_json::Value::Null => Some(String::new()),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
        };
        let entries = object.into_iter().map(|(name, value)| Some((name, text(value)?)));
        entries.collect::<Option<Vec<_>>>().map(Self).ok_or(flat)
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn take(mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_flat_objects_are_the_same() {
        let form = Params::parse(b"user=jane+doe&pass=12%2034&user=other&empty=");
        assert_eq!((form.get("user"), form.get("pass")), (Some("jane doe"), Some("12 34")));
        assert_eq!((form.get("empty"), form.get("none")), (Some(""), None));
        let json = Params::of_json(br#"{"user":"jane","pass":123456,"x":true,"n":null}"#).unwrap();
        assert_eq!((json.get("user"), json.get("pass")), (Some("jane"), Some("123456")));
        assert_eq!((json.get("x"), json.get("n")), (Some("true"), Some("")));
        for bad in [&b"[]"[..], b"{\"a\":{}}", b"{\"a\":[1]}", b"{", b"1"] {
            assert!(Params::of_json(bad).is_err());
        }
        assert_eq!(format!("{json:?}"), "Params(redacted)");
    }
}
