//! The login page of the dialect of Ceptor, as people see it.

use serde_json::{Value, json};

use super::{
    super::support::{NOW, totp},
    Answered, Rig,
    prover::PASSWORD,
};

/// One login page, whose passwords are proven in the directory of the daemon.
pub(crate) const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:1"
dialects = { ceptor = "/", v1 = "/" }
[[web.client]]
name = "portal"
rights = ["verify", "factors:read", "factors:write"]
login_page = true
rate = 10000
[web]
password_socket = "{dir}/password.sock"
"#;

/// The login page: it keeps the cookie it is given, as a browser does.
pub(crate) struct Page<'a> {
    pub(crate) rig: &'a Rig,
    pub(crate) cookie: Option<String>,
    pub(crate) extra: String,
}

impl<'a> Page<'a> {
    pub(crate) fn of(rig: &'a Rig) -> Self {
        Self { rig, cookie: None, extra: String::new() }
    }

    pub(crate) async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let body = body.map(|body| body.to_string());
        let kind = body.as_ref().map_or("", |_| "Content-Type: application/json\r\n");
        let body = body.unwrap_or_default();
        let answered = self
            .rig
            .http()
            .await
            .ask(&format!(
                "{method} /ceptorauthenticateldap/1{path} HTTP/1.1\r\nHost: portal.example\r\n{cookie}{kind}{}\
                 Content-Length: {}\r\n\r\n{body}",
                self.extra,
                body.len()
            ))
            .await;
        for line in answered.head.lines() {
            let Some(set) = line.strip_prefix("set-cookie: ") else { continue };
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(set.split("; ").any(|part| part == attribute), "{set}");
            }
            let value = set.split(';').next().unwrap();
            self.cookie = (!value.ends_with('=')).then(|| value.to_owned());
        }
        answered
    }

    pub(crate) async fn password(&mut self, user: &str, password: &str) -> Answered {
        let body = json!({ "userid": user, "credentials": password });
        self.call("POST", "/auth/uidpw", Some(body)).await
    }

    pub(crate) async fn totp(&mut self, code: &str) -> Answered {
        self.call("POST", &format!("/auth/verifytotp?code={code}"), None).await
    }

    pub(crate) async fn is_logged_on(&mut self) -> bool {
        self.call("GET", "/info", None).await.json()["logged_on"].as_bool().unwrap()
    }

    /// Logs in with both, as `jane`.
    pub(crate) async fn login(&mut self) {
        assert_eq!(self.password("jane", PASSWORD).await.status, 401);
        let answered = self.totp(&totp(NOW)).await;
        assert_eq!((answered.status, answered.body.as_str()), (201, ""), "{answered:?}");
        assert!(self.is_logged_on().await);
    }
}

/// Whether it is this error of the dialect.
#[track_caller]
pub(crate) fn is_fault(answered: &Answered, status: u16, code: i64) {
    let told = answered.json();
    assert_eq!((answered.status, told["code"].as_i64()), (status, Some(code)), "{answered:?}");
    assert!(told["message"].as_str().is_some_and(|message| !message.is_empty()), "{answered:?}");
}
