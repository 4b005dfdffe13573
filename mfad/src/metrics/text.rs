//! OpenMetrics text, version 1.0.0: families with their help, samples, and the end.
//!
//! Of the types only counter, gauge and histogram are written: what reads text files for node-exporter knows no
//! others.

use std::fmt::{Display, Write as _};

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What kind of figure a family has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Text that grows.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Begins a family. Its unit is what its name ends in, where it has one.
    pub(super) fn family(&mut self, kind: Kind, name: &str, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# TYPE {name} {kind}"));
        if let Some(unit) = ["seconds"].into_iter().find(|unit| name.ends_with(unit)) {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
        self.line(format_args!("# HELP {name} {}", escaped(help)));
    }

    /// One figure.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    /// The whole, ended.
    pub(super) fn end(mut self) -> String {
        self.line(format_args!("# EOF"));
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Text within a line, or within quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_labels_and_help_is_escaped() {
        let mut text = Text::default();
        text.family(Kind::Gauge, "x_seconds", "a\nb");
        text.sample("x_seconds", &[("a", "\"\\\n"), ("b", "é")], 7);
        assert_eq!(
            text.end(),
            "# TYPE x_seconds gauge\n# UNIT x_seconds seconds\n# HELP x_seconds a\\nb\n\
             x_seconds{a=\"\\\"\\\\\\n\",b=\"é\"} 7\n# EOF\n"
        );
    }
}
