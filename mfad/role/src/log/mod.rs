//! Where log lines go: journald with fields when it is there, else syslog, else standard error.

mod syslog;

use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, layer::SubscriberExt as _, registry::Registry, util::SubscriberInitExt as _,
};

use crate::config::{Log, LogLevel, LogTarget};

/// Prefix of the fields in journald: `MFA_USER`, `MFA_VERDICT`, …
const FIELD_PREFIX: &str = "MFA";

/// Why no log can be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// journald was asked for and is not there.
    #[error("[log] target = \"journal\", but journald cannot be reached: {0}")]
    NoJournal(std::io::Error),
    /// Something else already takes the log.
    #[error("the log is already set up")]
    AlreadySetUp,
}

/// Starts logging. Call it once, first.
pub fn start(settings: &Log) -> Result<(), LogError> {
    let layer = layer(settings.target)?.with_filter(filter(settings.level));
    tracing_subscriber::registry().with(layer).try_init().map_err(|_| LogError::AlreadySetUp)
}

fn layer(target: LogTarget) -> Result<Box<dyn Layer<Registry> + Send + Sync>, LogError> {
    let journal = || tracing_journald::layer().map(|l| l.with_field_prefix(Some(FIELD_PREFIX.to_owned())));
    match target {
        LogTarget::Journal => Ok(journal().map_err(LogError::NoJournal)?.boxed()),
        LogTarget::Syslog => Ok(syslog::Syslog.boxed()),
        LogTarget::Stderr => {
            Ok(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).boxed())
        }
        LogTarget::Auto => match journal() {
            Ok(journal) => Ok(journal.boxed()),
            Err(_) if Path::new("/dev/log").exists() => Ok(syslog::Syslog.boxed()),
            Err(_) => layer(LogTarget::Stderr),
        },
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}
