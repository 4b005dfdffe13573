//! Log lines to syslog (facility AUTH; nix names no AUTHPRIV): the message, then what fields it has, on one line.

use std::fmt::{Debug, Write as _};

use mfa_proto::text::escape_for_log;
use nix::syslog::{Facility, Priority, Severity, syslog};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// A layer that writes to syslog.
#[derive(Debug)]
pub(super) struct Syslog;

impl<S: Subscriber> Layer<S> for Syslog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::LOG_ERR,
            Level::WARN => Severity::LOG_WARNING,
            Level::INFO => Severity::LOG_INFO,
            Level::DEBUG | Level::TRACE => Severity::LOG_DEBUG,
        };
        let text = escape_for_log(&format!("{}{}", line.message, line.fields)).replace('\0', "");
        let _nowhere_to_report = syslog(Priority::new(severity, Facility::LOG_AUTH), text.as_str());
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: &dyn std::fmt::Display) {
        if field.name() == "message" {
            self.message.push_str(&value.to_string());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, &format_args!("{value:?}"));
    }
}
