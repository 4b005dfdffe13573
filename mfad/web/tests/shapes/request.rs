//! Requests that are made up: methods, paths, parameters in query and body, types that fit and that do not.

use std::fmt::Write as _;

use proptest::{collection::vec, prelude::*, sample::select};

use super::rig::{VPN, WIKI};

/// Every path of every dialect.
pub(crate) const PATHS: [&str; 62] = [
    "/v1/verify",
    "/v1/verify/status",
    "/v1/status",
    "/v1/users",
    "/v1/audit",
    "/v1/factors",
    "/v1/factors/confirm",
    "/v1/factors/enable",
    "/v1/factors/disable",
    "/v1/factors/remove",
    "/v1/factors/resync",
    "/v1/factors/send",
    "/v1/factors/recovery",
    "/v1/token/issue",
    "/v1/token/verify",
    "/v1/users/unlock",
    "/v1/users/reset",
    "/v1/openapi.json",
    "/rest2f/init",
    "/rest2f/verify",
    "/lua/admin/change_user_mfa.lua",
    "/ceptorauthenticateldap/1/info",
    "/ceptorauthenticateldap/1/auth/uidpw",
    "/ceptorauthenticateldap/1/auth/changepw",
    "/ceptorauthenticateldap/1/auth/logoff",
    "/ceptorauthenticateldap/1/auth/sendsms",
    "/ceptorauthenticateldap/1/auth/verifysmsotp",
    "/ceptorauthenticateldap/1/auth/verifytotp",
    "/ceptorauthenticateldap/1/totp/qr",
    "/validate/check",
    "/validate/check_s",
    "/validate/check_t",
    "/validate/check_status",
    "/validate/simplecheck",
    "/validate/ok",
    "/validate/fail",
    "/admin/getsession",
    "/admin/init",
    "/admin/enable",
    "/admin/disable",
    "/admin/remove",
    "/admin/delete",
    "/admin/show",
    "/admin/assign",
    "/admin/unassign",
    "/admin/resync",
    "/admin/reset",
    "/admin/set",
    "/admin/tokenrealm",
    "/admin/userlist",
    "/admin/check_serial",
    "/admin/getTokenOwner",
    "/admin/losttoken",
    "/admin/getSerialByOtp",
    "/audit/search",
    "/system/getConfig",
    "/system/setConfig",
    "/system/getRealms",
    "/nowhere",
    "/v1/verify/",
    "//validate/check",
    "/validate/%63heck",
];

/// Those by which somebody is verified.
pub(crate) const VERIFYING: [&str; 11] = [
    "/v1/verify",
    "/v1/verify/status",
    "/v1/token/verify",
    "/rest2f/init",
    "/rest2f/verify",
    "/validate/check",
    "/validate/check_s",
    "/validate/check_t",
    "/validate/check_status",
    "/validate/simplecheck",
    "/ceptorauthenticateldap/1/auth/uidpw",
];

const NAMES: &str = "user user user user username userid realm pass pass pass code code code credentials serial \
    transactionid state transaction factor label source token totp action kind type otpkey genkey \
    hashlib otplen timeStep pin description session httperror page rp pagesize sortby sortdir sortname \
    sortorder query qtype or outform delimiter headers user_fields filter viewrealm otp otp1 otp2 key \
    value realms after orphaned last since until verdict service count codes address digits newpassword \
    auth_info";

/// Codes that are none of the user's.
pub(crate) const CODES: [&str; 5] = ["000000", "123456", "99999999", "1234000000", "07-QX4T-K2MD-7PZA-BC3E"];

const METHODS: [&str; 9] = ["GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"];

const TYPES: [&str; 8] = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded",
    "text/xml",
    "multipart/form-data; boundary=x",
    ";",
];

/// A value of a parameter.
#[derive(Clone, Debug)]
enum Value {
    /// The name of whoever it is about.
    User,
    Text(String),
    /// As it stands, in JSON and in forms.
    Raw(&'static str),
}

/// As whom it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    All,
    Verifier,
}

/// How a body is written.
#[derive(Clone, Copy, Debug)]
enum Body {
    None,
    Form,
    Json,
    /// JSON in an array, many times over.
    Nested,
    /// What is no text.
    Bytes,
    /// Longer than it may be.
    Long,
    /// JSON that ends in the middle.
    Cut,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) wants_all: bool,
    query: Vec<(&'static str, Value)>,
    body: Vec<(&'static str, Value)>,
    how: Body,
    kind: Option<&'static str>,
    headers: Vec<&'static str>,
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => Just(Value::User),
        5 => select(&CODES[..]).prop_map(|code| Value::Text(code.to_owned())),
        2 => select(&["local", "abc", "csv", "json", "1", "true", "400", "totp", "hmac", "desc", "enable"][..])
            .prop_map(|word| Value::Text(word.to_owned())),
        3 => any::<String>().prop_map(Value::Text),
        1 => "[ -~]{0,40}".prop_map(Value::Text),
        1 => select(&[
            "a\0b", "\r\nX-Evil: 1", "\u{202e}x", "' OR 1=1--", "..%2f..", "\u{feff}", " ", "=1+1", "x@y@z@", ":1",
        ][..])
            .prop_map(|text| Value::Text(text.to_owned())),
        1 => (600_usize..700).prop_map(|length| Value::Text("x".repeat(length))),
        3 => select(&[
            "0", "-1", "-0.0", "1.5", "1e400", "18446744073709551616", "99999999999999999999999999", "null", "true",
            "[]", "{}", "[[1]]", "{\"a\":1}", "\"\\u0000\"", "\"\\ud800\"", "%", "%zz", "%F", "%ff%fe", "%c3%28", "%00",
        ][..])
            .prop_map(Value::Raw),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let names: Vec<&'static str> = NAMES.split_whitespace().collect();
    vec((select(names), value()), 0..7)
}

/// Mostly what fits: whom it is about and a code.
fn likely() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let code = (select(&["pass", "code", "credentials", "token"][..]), select(&CODES[..]));
    (code, pairs()).prop_map(|((name, code), mut more)| {
        let user = if name == "credentials" { "userid" } else { "user" };
        more.insert(0, (name, Value::Text(code.to_owned())));
        more.insert(0, (user, Value::User));
        more
    })
}

/// Requests to some paths.
pub(crate) fn shapes(paths: &'static [&'static str]) -> impl Strategy<Value = Shape> {
    let how = prop_oneof![
        2 => Just(Body::None),
        6 => Just(Body::Form),
        6 => Just(Body::Json),
        1 => Just(Body::Nested),
        1 => Just(Body::Bytes),
        1 => Just(Body::Long),
        1 => Just(Body::Cut),
    ];
    let headers = select(
        &[
            "Cookie: admin_session=abc",
            "Cookie: admin_session=abc; __Host-mfad-ceptor=x",
            "Cookie: \u{7f}",
            "Origin: http://x",
            "Origin: null",
            "Sec-Fetch-Site: cross-site",
            "X-Mfa-User: USER",
            "X-Mfa-Code: 000000",
            "X-Mfa-Source: 192.0.2.1",
            "X-Mfa-Session-User: USER",
            "X-Forwarded-For: 192.0.2.9, x",
            "Accept-Encoding: br",
        ][..],
    );
    let fits = any::<prop::sample::Index>();
    let what = (select(&METHODS[..]), select(paths), any::<bool>(), how, fits, any::<bool>());
    (what, pairs(), prop_oneof![likely(), pairs()], vec(headers, 0..4)).prop_map(
        |((method, path, wants_all, how, pick, by_form), query, body, headers)| {
            let kind = match (how, by_form) {
                (Body::None, _) => None,
                // As a rule what it says that it is.
                (Body::Form, true) => Some("application/x-www-form-urlencoded"),
                (Body::Json | Body::Nested | Body::Cut, true) => Some("application/json"),
                _ => Some(*pick.get(&TYPES)),
            };
            Shape { method, path, wants_all, query, body, how, kind, headers }
        },
    )
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut form, byte| {
        write!(form, "%{byte:02X}").unwrap();
        form
    })
}

fn as_form(pairs: &[(&str, Value)], user: &str) -> String {
    let pair = |(name, value): &(&str, Value)| match value {
        Value::User => format!("{name}={user}"),
        Value::Text(text) => format!("{name}={}", percent(text)),
        // What would end the line of a request is not for a query.
        Value::Raw(raw) => format!("{name}={}", raw.replace(['"', '\\', '{', '}', '[', ']'], "")),
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// An object, in which a name may stand twice.
fn as_json(pairs: &[(&str, Value)], user: &str) -> String {
    let pair = |(name, value): &(&str, Value)| match value {
        Value::User => format!("{name:?}:{user:?}"),
        Value::Text(text) => format!("{name:?}:{}", serde_json::Value::String(text.clone())),
        Value::Raw(raw) => format!("{name:?}:{raw}"),
    };
    format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(","))
}

impl Shape {
    /// Its bytes, about a user.
    pub(crate) fn bytes(&self, user: &str, who: Who) -> Vec<u8> {
        let query = as_form(&self.query, user);
        // Longer than a head may be.
        let query = if query.len() > 8000 { "user=long".to_owned() } else { query };
        let target = if query.is_empty() { self.path.to_owned() } else { format!("{}?{query}", self.path) };
        let secret = match who {
            Who::All => VPN,
            Who::Verifier => WIKI,
        };
        let body = self.body_of(user);
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n",
            self.method
        );
        if let Some(kind) = self.kind {
            write!(head, "Content-Type: {kind}\r\n").unwrap();
        }
        for header in &self.headers {
            write!(head, "{}\r\n", header.replace("USER", user)).unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        [head.into_bytes(), body].concat()
    }

    fn body_of(&self, user: &str) -> Vec<u8> {
        let json = as_json(&self.body, user);
        match self.how {
            Body::None => Vec::new(),
            Body::Form => as_form(&self.body, user).into_bytes(),
            Body::Json => json.into_bytes(),
            Body::Nested => format!("{}{json}{}", "[".repeat(900), "]".repeat(900)).into_bytes(),
            Body::Bytes => [b"user=", user.as_bytes(), b"&pass=\xff\xfe\0\xc3\x28&code=\x80"].concat(),
            Body::Long => format!("user={user}&pass={}", "0".repeat(70_000)).into_bytes(),
            Body::Cut => json.as_bytes()[..json.len() / 2].to_vec(),
        }
    }

    /// Whether it may ask for errors by a status (`httperror`).
    pub(crate) fn names_a_status(&self) -> bool {
        self.query.iter().chain(&self.body).any(|(name, _)| *name == "httperror")
    }
}
