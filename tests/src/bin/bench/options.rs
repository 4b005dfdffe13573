//! What the caller may choose. Refuses words it does not know.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "usage: bench [--json FILE] [--rounds N] [--most-users N] [--only WORD]";

/// What is measured, and how often.
#[derive(Debug)]
pub(crate) struct Options {
    /// Where the result goes.
    pub(crate) json: PathBuf,
    /// How often all contenders take their turn.
    pub(crate) rounds: u32,
    /// Rows with more enrolled users are left out.
    pub(crate) most_users: u32,
    /// Only contenders whose label has this word; `web`: mfad-web, which is measured by itself.
    pub(crate) only: Option<String>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options =
            Self { json: "target/bench.json".into(), rounds: 5, most_users: 1_000_000, only: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word}: a value is missing"))?;
            let number = || value.parse().map_err(|_| format!("{word} {value}: not a number"));
            match word.as_str() {
                "--json" => options.json = value.into(),
                "--rounds" => options.rounds = number()?,
                "--most-users" => options.most_users = number()?,
                "--only" => options.only = Some(value.clone()),
                _ => return Err(format!("{word}: not known")),
            }
        }
        Ok(options)
    }
}
