//! Somebody's telephone: a gateway that is played takes the messages, and codes are read from them. Refuses to
//! wait for luck.

use std::fmt::Write as _;

use crate::{
    daemon::Daemon,
    gateway::{Gateway, Received},
    sys::{unix_now, wait_until},
};

/// Its number.
pub const NUMBER: &str = "+491701234321";

/// A gateway that takes every message.
#[track_caller]
pub fn takes_all() -> Gateway {
    Gateway::start(|_| (200, r#"{"status":"ok"}"#.to_owned()))
}

/// The section of a configuration that sends messages by these gateways; `more` keys of it.
pub fn sms_section(gateways: &[(&str, &Gateway)], more: &str) -> String {
    let names: Vec<String> = gateways.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let mut toml = format!("[sms]\ngateways = [{}]\n{more}\n", names.join(", "));
    for (name, gateway) in gateways {
        write!(
            toml,
            "[sms.gateway.{name}]\ntype = \"http\"\nurl = \"{}\"\njson = {{ to = \"{{number}}\", text = \"{{text}}\" }}\n\
             success_pointer = \"/status\"\nsuccess_value = \"ok\"\n",
            gateway.url("/messages")
        )
        .unwrap();
    }
    toml
}

/// The code in a message.
#[track_caller]
pub fn code_in(message: &Received) -> String {
    let text = message.json()["text"].as_str().expect("a message has a text").to_owned();
    text.rsplit('#').next().expect("the last line ends in the code").trim().to_owned()
}

/// Gives somebody the telephone: enrolls the number, confirms it by the code that came.
#[track_caller]
pub fn enroll_phone(daemon: &Daemon, gateway: &Gateway, user: &str) {
    let before = gateway.received().len();
    daemon.ctl_with(&["enroll", "sms", user, "--address-stdin"], &format!("{NUMBER}\n")).ok();
    let messages = gateway.wait_for(before + 1);
    let code = code_in(messages.last().expect("one came"));
    daemon.ctl(&["confirm", user, &code]).ok();
}

/// Waits until a code may be sent again: `resend_interval` is ten seconds in these tests, the least there is.
#[track_caller]
pub fn wait_out_the_interval() {
    let begun = unix_now();
    wait_until("the interval is over", || unix_now() > begun + 10);
}
