//! Text messages through a service that is called over HTTP, as the configuration describes it.
//!
//! Refuses to take an answer for success that the configuration does not call so.

use std::time::Duration;

use mfa_role::config::{Body, Field, HttpGateway, Json, Scalar, Success, Template};
use serde_json::{Map, Value};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Undelivered;
use crate::{
    fill::{self, Escape, Facts, Missing},
    http::{self, Answer, Caller, Payload, Request, Trust},
    json,
    secrets::Secrets,
};

/// Calls one gateway.
#[derive(Debug)]
pub(super) struct HttpSender {
    caller: Caller,
    gateway: HttpGateway,
    credentials: Secrets,
}

impl HttpSender {
    /// The error says what is wrong with the configuration.
    pub(super) fn new(
        gateway: &HttpGateway,
        timeout: Duration,
        (trust, credentials): (&Trust, &Secrets),
    ) -> Result<Self, String> {
        let names: Vec<_> = gateway.templates().flat_map(Template::credentials).collect();
        if let Some(missing) = names.iter().find(|name| credentials.get(name).is_none()) {
            return Err(format!("credential \"{missing}\" was not read"));
        }
        let caller = Caller::new(&gateway.url, &gateway.access, timeout, (trust, credentials))?;
        Ok(Self { caller, gateway: gateway.clone(), credentials: credentials.only(&names) })
    }

    /// Hands one message over; gives the status of the answer.
    pub(super) async fn deliver(&self, facts: &Facts, deadline: Instant) -> Result<u16, Undelivered> {
        let answer = self.caller.call(self.request(facts)?, deadline).await?;
        judge(&self.gateway.success, &answer)?;
        Ok(answer.status)
    }

    fn request(&self, facts: &Facts) -> Result<Request, Missing> {
        let gateway = &self.gateway;
        let plain = |template| fill::fill(template, facts, &self.credentials, Escape::Plain);
        let mut path = fill::fill(&gateway.url.path, facts, &self.credentials, Escape::Percent)?;
        if !gateway.query.is_empty() {
            let query = self.form(&gateway.query, facts)?;
            let mark = if path.contains('?') { '&' } else { '?' };
            path = Zeroizing::new(format!("{}{mark}{}", *path, *query));
        }
        let headers = gateway.headers.iter().map(|(name, value)| Ok((name.clone(), plain(value)?)));
        let payload = match &gateway.body {
            Body::None => Payload::None,
            Body::Form(fields) => {
                let mut form = self.form(fields, facts)?;
                Payload::Some(http::FORM, Zeroizing::new(std::mem::take(&mut *form).into_bytes()))
            }
            Body::Json(json) => {
                let body = self.json(json, facts)?.to_string();
                Payload::Some(http::JSON, Zeroizing::new(body.into_bytes()))
            }
        };
        Ok(Request {
            method: gateway.method,
            path,
            headers: headers.collect::<Result<_, Missing>>()?,
            payload,
        })
    }

    fn form(&self, fields: &[Field], facts: &Facts) -> Result<Zeroizing<String>, Missing> {
        let mut form = Zeroizing::new(String::with_capacity(4096));
        for (name, value) in fields {
            if !form.is_empty() {
                form.push('&');
            }
            fill::percent_encode(name, &mut form);
            form.push('=');
            form.push_str(&fill::fill_field(value, facts, &self.credentials)?);
        }
        Ok(form)
    }

    fn json(&self, json: &Json, facts: &Facts) -> Result<Value, Missing> {
        Ok(match json {
            Json::Text(template) => {
                let mut text = fill::fill(template, facts, &self.credentials, Escape::Plain)?;
                Value::String(std::mem::take(&mut *text))
            }
            Json::Integer(number) => (*number).into(),
            Json::Boolean(truth) => (*truth).into(),
            Json::List(list) => {
                Value::Array(list.iter().map(|json| self.json(json, facts)).collect::<Result<_, _>>()?)
            }
            Json::Object(object) => {
                let entry = |(key, json): &(String, Json)| Ok((key.clone(), self.json(json, facts)?));
                Value::Object(object.iter().map(entry).collect::<Result<Map<_, _>, Missing>>()?)
            }
        })
    }
}

fn judge(success: &Success, answer: &Answer) -> Result<(), Undelivered> {
    let status = answer.status;
    let expected = if success.statuses.is_empty() {
        (200..300).contains(&status)
    } else {
        success.statuses.contains(&status)
    };
    if !expected {
        return Err(Undelivered::Status(status));
    }
    let Some((pointer, wanted)) = &success.answer else { return Ok(()) };
    let document = json::parse(&answer.body).map_err(|_| Undelivered::NotTaken(status))?;
    let found = document.pointer(pointer);
    let same = match wanted {
        Scalar::Text(text) => found.and_then(Value::as_str) == Some(text),
        Scalar::Integer(number) => found.and_then(Value::as_i64) == Some(*number),
        Scalar::Boolean(truth) => found.and_then(Value::as_bool) == Some(*truth),
    };
    if same { Ok(()) } else { Err(Undelivered::NotTaken(status)) }
}

#[cfg(test)]
mod tests {
    use mfa_role::config::{Config, GatewayKind, Source};

    use super::*;

    fn success(text: &str) -> Success {
        let text = format!(
            "[sms]\ngateways = [\"a\"]\n[sms.gateway.a]\ntype = \"http\"\nurl = \"https://a/\"\nform = {{ a = \"{{number}}{{text}}\" }}\n{text}"
        );
        let config = Config::from_sources(&[Source { path: "m.toml".into(), text }]).unwrap();
        let GatewayKind::Http(http) = &config.sms().gateways[0].kind else { panic!("{config:?}") };
        http.success.clone()
    }

    #[test]
    fn success_is_what_the_configuration_calls_so() {
        let judge = |success: &Success, status, body: &str| {
            judge(success, &Answer { status, body: Zeroizing::new(body.as_bytes().to_vec()) }).is_ok()
        };
        let any = success("");
        assert!(judge(&any, 200, "<html>") && judge(&any, 299, ""));
        assert!(!judge(&any, 302, "") && !judge(&any, 500, "") && !judge(&any, 199, ""));
        let some = success("success = [201]");
        assert!(judge(&some, 201, "") && !judge(&some, 200, ""));
        let vonage = success("success_pointer = \"/messages/0/status\"\nsuccess_value = \"0\"");
        assert!(judge(&vonage, 200, r#"{"messages":[{"status":"0"}]}"#));
        for body in [
            r#"{"messages":[{"status":0}]}"#,
            r#"{"messages":[{"status":"4"}]}"#,
            r#"{"messages":[{"status":"4","status":"0"}]}"#,
            r#"{"messages":[]}"#,
            "0",
            "",
        ] {
            assert!(!judge(&vonage, 200, body), "{body}");
        }
        assert!(!judge(&vonage, 500, r#"{"messages":[{"status":"0"}]}"#));
        let truth = success("success_pointer = \"/ok\"\nsuccess_value = true");
        assert!(judge(&truth, 200, r#"{"ok":true}"#) && !judge(&truth, 200, r#"{"ok":"true"}"#));
        let number = success("success_pointer = \"/code\"\nsuccess_value = 0");
        assert!(judge(&number, 200, r#"{"code":0}"#) && !judge(&number, 200, r#"{"code":0.5}"#));
    }
}
