//! `[sms.gateway.NAME]`: one way for a text message to leave this host.

use std::path::PathBuf;

use super::{
    kinds::{Checked, choice, line, number, path, text},
    reader::{Found, Reader, Section},
    suggest::printable,
    template::{Allowed, Fact, Template},
    tree::{Node, Place, Value},
    url::{Url, url},
    web::{Access, Field, fields, headers},
};

/// What may stand in a call of a gateway.
const IN_CALLS: Allowed = Allowed {
    facts: &[Fact::Number, Fact::Msisdn, Fact::Code, Fact::Text, Fact::Host, Fact::User, Fact::Minutes],
    credentials: true,
};
/// The deepest nesting of a JSON body.
const MAX_DEPTH: usize = 8;

/// One way for a text message to leave this host.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Gateway {
    /// What the log calls it.
    pub name: String,
    /// What it is.
    pub kind: GatewayKind,
}

/// What a gateway is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GatewayKind {
    /// A service that is called over HTTP.
    Http(Box<HttpGateway>),
    /// A modem of this host, through `ModemManager`.
    Modem {
        /// Which: its device, IMEI, or object path; `None` for the first there is.
        modem: Option<String>,
    },
    /// Files in a directory: for development.
    File {
        /// The directory.
        directory: PathBuf,
    },
}

/// A service that is called over HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HttpGateway {
    /// How it is called.
    pub method: Method,
    /// Where it is.
    pub url: Url,
    /// Whom to trust, and what proves who calls.
    pub access: Access,
    /// Headers beside those of HTTP itself.
    pub headers: Vec<Field>,
    /// What is added to the query of the address, percent-encoded.
    pub query: Vec<Field>,
    /// What is sent.
    pub body: Body,
    /// When it has taken the message.
    pub success: Success,
}

/// How a service is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With one.
    Post,
    /// With one.
    Put,
}

/// What a call sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// A form (`application/x-www-form-urlencoded`).
    Form(Vec<Field>),
    /// JSON.
    Json(Json),
}

/// JSON whose texts are templates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Json {
    /// A text.
    Text(Template),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

/// When a gateway has taken a message: all that is given must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Success {
    /// The statuses; empty for 200 to 299.
    pub statuses: Vec<u16>,
    /// A place in the JSON of the answer (RFC 6901), and what has to stand there.
    pub answer: Option<(String, Scalar)>,
}

/// A value of JSON without parts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Type {
    Http,
    Modem,
    File,
}

/// A gateway, when all it needs is there; else it has been told what is missing.
pub(super) fn read(reader: &mut Reader, name: String, place: Place, mut section: Section) -> Option<Gateway> {
    let s = &mut section;
    let types = choice(&[("http", Type::Http), ("modem", Type::Modem), ("file", Type::File)]);
    let kind = reader.optional(s, "type", types);
    let read = match kind.value {
        Some(Type::Http) => read_http(reader, place, s).map(|http| GatewayKind::Http(Box::new(http))),
        Some(Type::Modem) => {
            let modem = reader.optional(s, "modem", line(256)).value;
            Some(GatewayKind::Modem { modem })
        }
        Some(Type::File) => {
            let directory = reader.optional(s, "directory", path);
            if directory.place.is_none() {
                reader
                    .fault(Some(place), format!("gateway \"{name}\" is not whole: add `directory = \"/…\"`"));
            }
            directory.value.map(|directory| GatewayKind::File { directory })
        }
        None => {
            if !kind.faulty {
                let message = format!(
                    "gateway \"{name}\" is not whole: add `type = \"http\"` (or \"modem\", \"file\")"
                );
                reader.fault(Some(place), message);
            }
            // What else stands there cannot be judged.
            return None;
        }
    };
    reader.close(section);
    read.map(|kind| Gateway { name, kind })
}

/// Notes the keys of each type as known, though there may be none.
pub(super) fn note_keys(reader: &mut Reader, place: Place) {
    let mut section = Section::empty("sms.gateway.NAME");
    let s = &mut section;
    let _type = reader.optional(s, "type", line(9));
    let _http = read_http(reader, place, s);
    let _modem = reader.optional(s, "modem", line(9));
    let _directory = reader.optional(s, "directory", path);
}

fn read_http(reader: &mut Reader, place: Place, s: &mut Section) -> Option<HttpGateway> {
    let address = reader.optional(s, "url", url(IN_CALLS));
    let methods = choice(&[("GET", Method::Get), ("POST", Method::Post), ("PUT", Method::Put)]);
    let method = reader.value(s, "method", Method::Post, methods);
    let access = Access::read(reader, s);
    let headers = headers(reader, s, IN_CALLS);
    if access.credential.is_some()
        && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    {
        let message = "this gateway has both `credential` and a header Authorization: keep one of them";
        reader.fault(Some(place), message);
    }
    let query = fields(reader, s, "query", IN_CALLS);
    let body = read_body(reader, s, &method);
    let success = read_success(reader, s);
    if address.place.is_none() {
        reader.fault(Some(place), "this gateway is not whole: add `url = \"https://…\"`");
    }
    let call = HttpGateway {
        method: method.value,
        url: address.value?,
        access,
        headers,
        query,
        body: body?,
        success,
    };
    let to = call.has(Fact::Number) || call.has(Fact::Msisdn);
    let what = call.has(Fact::Text) || call.has(Fact::Code);
    if !(to && what) {
        let message = "this gateway is told nothing of use: write {number} (or {msisdn}) and {text} (or {code}) into `form`, `json` or `query`";
        reader.fault(Some(place), message);
    }
    Some(call)
}

impl Gateway {
    /// The names of the credentials it needs.
    pub fn credentials(&self) -> Vec<&str> {
        match &self.kind {
            GatewayKind::Http(http) => {
                let access = http.access.credential.as_deref();
                access.into_iter().chain(http.templates().flat_map(Template::credentials)).collect()
            }
            GatewayKind::Modem { .. } | GatewayKind::File { .. } => Vec::new(),
        }
    }
}

impl HttpGateway {
    /// All templates.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let mut all = vec![&self.url.path];
        all.extend(self.headers.iter().chain(&self.query).map(|(_, value)| value));
        match &self.body {
            Body::None => {}
            Body::Form(fields) => all.extend(fields.iter().map(|(_, value)| value)),
            Body::Json(json) => json.collect(&mut all),
        }
        all.into_iter()
    }

    fn has(&self, fact: Fact) -> bool {
        self.templates().any(|template| template.has(fact))
    }
}

impl Json {
    fn collect<'a>(&'a self, into: &mut Vec<&'a Template>) {
        match self {
            Self::Text(template) => into.push(template),
            Self::Integer(_) | Self::Boolean(_) => {}
            Self::List(list) => list.iter().for_each(|json| json.collect(into)),
            Self::Object(object) => object.iter().for_each(|(_, json)| json.collect(into)),
        }
    }
}

fn read_body(reader: &mut Reader, s: &mut Section, method: &Found<Method>) -> Option<Body> {
    let form_place = s.place_of("form");
    let form = fields(reader, s, "form", IN_CALLS);
    let json = reader.node(s, "json");
    let place = json.as_ref().map(|node| node.place);
    if form_place.is_some() && place.is_some() {
        reader.fault(place, "`json` and `form` are both there: keep the one that the gateway takes");
        return None;
    }
    if method.value == Method::Get && (form_place.is_some() || place.is_some()) {
        reader.fault(place.or(form_place), "`method = \"GET\"` has no body: write what is sent into `query`");
    }
    match json.map(|node| json_of(reader, node, 0)) {
        Some(Some(json @ Json::Object(_))) => Some(Body::Json(json)),
        Some(Some(_)) => {
            let message = "`json` is no table: write one as { to = \"{number}\", text = \"{text}\" }";
            reader.fault(place, message);
            None
        }
        Some(None) => None,
        None if form_place.is_some() => Some(Body::Form(form)),
        None => Some(Body::None),
    }
}

/// JSON as TOML has it; what it cannot be is told.
fn json_of(reader: &mut Reader, node: Node, depth: usize) -> Option<Json> {
    let place = Some(node.place);
    let deeper = depth.saturating_add(1);
    if depth > MAX_DEPTH {
        reader.fault(place, format!("`json` is nested more than {MAX_DEPTH} deep: write less"));
        return None;
    }
    let refused = match node.value {
        Value::Text(text) if text.len() <= 2048 => match Template::parse(&text, IN_CALLS) {
            Ok(template) => return Some(Json::Text(template)),
            Err(message) => format!("a text of `json` {message}"),
        },
        Value::Text(_) => "a text of `json` is too long: write at most 2048 bytes".to_owned(),
        Value::Integer(Some(number)) => return Some(Json::Integer(number)),
        Value::Boolean(truth) => return Some(Json::Boolean(truth)),
        Value::Array(list) => {
            let list: Vec<_> = list.into_iter().map(|node| json_of(reader, node, deeper)).collect();
            return list.into_iter().collect::<Option<_>>().map(Json::List);
        }
        Value::Table(table) => {
            let object: Vec<_> = table
                .into_iter()
                .map(|(key, entry)| Some((key, json_of(reader, entry.node, deeper)?)))
                .collect();
            return object.into_iter().collect::<Option<_>>().map(Json::Object);
        }
        Value::Integer(None) | Value::Float | Value::Datetime(_) => {
            format!("`json` holds {}: write a text in quotes", node.value.kind())
        }
    };
    reader.fault(place, refused);
    None
}

fn read_success(reader: &mut Reader, s: &mut Section) -> Success {
    let statuses = reader.optional(s, "success", statuses);
    let pointer = reader.optional(s, "success_pointer", pointer);
    let value = reader.optional(s, "success_value", scalar);
    if pointer.place.is_some() != value.place.is_some() {
        let message = "`success_pointer` and `success_value` belong together: write both, or none";
        reader.fault(pointer.place.or(value.place), message);
    }
    Success { statuses: statuses.value.unwrap_or_default(), answer: pointer.value.zip(value.value) }
}

fn statuses(value: &Value) -> Checked<Vec<u16>> {
    let wanted = "write a list of statuses from 200 to 299, as [200, 202]";
    let Value::Array(list) = value else { return Err(format!("is {}: {wanted}", value.kind())) };
    let status = |node: &Node| number(200..=299)(&node.value).ok();
    let read: Option<Vec<u16>> = list.iter().map(status).collect();
    read.filter(|read| !read.is_empty())
        .ok_or_else(|| format!("holds what is no status of success: {wanted}"))
}

fn pointer(value: &Value) -> Checked<String> {
    let text = text(value)?;
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    if !text.starts_with('/') || text.len() > 256 || !escapes || text.chars().any(char::is_control) {
        return Err(format!(
            "cannot be \"{}\": write a JSON pointer, as \"/messages/0/status\"",
            printable(text)
        ));
    }
    Ok(text.to_owned())
}

fn scalar(value: &Value) -> Checked<Scalar> {
    match value {
        Value::Text(_) => line(256)(value).map(Scalar::Text),
        Value::Integer(Some(number)) => Ok(Scalar::Integer(*number)),
        Value::Boolean(truth) => Ok(Scalar::Boolean(*truth)),
        Value::Integer(None) | Value::Float | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            Err(format!("is {}: write a text, a whole number, true or false", value.kind()))
        }
    }
}
