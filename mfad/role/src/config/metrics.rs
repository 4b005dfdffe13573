//! `[metrics]`: where figures are given out, for monitoring.

use std::{path::PathBuf, time::Duration};

use super::{
    kinds::{account, duration, path, socket_or_none},
    reader::{Reader, Section},
};

/// Where figures are given out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// A socket that tells them whoever connects. Mode 0660.
    pub socket: Option<PathBuf>,
    /// The group that may connect there, beside root and the daemon's own user and group.
    pub socket_group: Option<String>,
    /// A file for node-exporter's textfile collector.
    pub textfile: Option<PathBuf>,
    /// How often that is written.
    pub interval: Duration,
}

impl Metrics {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "metrics");
        let s = &mut section;
        let socket = reader.value(s, "socket", None, socket_or_none).value;
        let group = reader.optional(s, "socket_group", account);
        if socket.is_none() {
            reader
                .fault(group.place, "`metrics.socket_group` needs `metrics.socket`: write both, or neither");
        }
        let textfile = reader.optional(s, "textfile", path);
        // Else nobody reads it, and nobody is told.
        if textfile.value.as_ref().is_some_and(|path| path.extension().is_none_or(|end| end != "prom")) {
            reader.fault(
                textfile.place,
                "`metrics.textfile` does not end in `.prom`: node-exporter reads no other",
            );
        }
        let seconds = duration(Duration::from_secs(5)..=Duration::from_secs(3600));
        let interval = reader.value(s, "interval", Duration::from_secs(30), seconds).value;
        reader.close(section);
        Self { socket, socket_group: group.value, textfile: textfile.value, interval }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Source};

    fn read(text: &str) -> Result<Config, String> {
        let source = Source { path: "m.toml".into(), text: format!("[metrics]\n{text}") };
        Config::from_sources(&[source]).map_err(|errors| errors.to_string())
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (text, told) in [
            ("socket_group = \"adm\"", "needs `metrics.socket`"),
            ("socket = \"metrics.sock\"", "relative path"),
            ("textfile = \"/var/lib/x/mfad.txt\"", "does not end in `.prom`"),
            ("interval = \"1s\"", "\"5s\" to \"1h\""),
        ] {
            let errors = read(text).expect_err(text);
            assert!(errors.contains(told), "{text}: {errors}");
        }
        let config = read("socket = \"/run/mfad/metrics.sock\"\nsocket_group = \"adm\"").unwrap();
        assert_eq!(config.metrics().socket_group.as_deref(), Some("adm"));
    }
}
