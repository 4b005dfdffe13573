//! What is to be reached, and whether it was. Refuses to round a missed target up.

use serde::Serialize;

/// One target.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    what: &'static str,
    /// What was measured; `None` when its rows were left out.
    value: Option<f64>,
    bound: String,
    reached: Option<bool>,
}

/// Shows what was measured beside what is to be reached.
pub(crate) fn judge(all: impl IntoIterator<Item = (&'static str, Option<f64>, At)>) -> Vec<Target> {
    println!("\n{:62} {:>10} {:>12}", "to reach", "measured", "target");
    let judged = all.into_iter().map(|(what, value, at)| {
        let reached = value.map(|value| at.holds(value));
        let shown = value.map_or("not run".to_owned(), |value| format!("{value:.2}"));
        let mark = reached.map_or("", |reached| if reached { "reached" } else { "MISSED" });
        println!("  {what:60} {shown:>10} {:>12}  {mark}", at.text());
        Target { what, value, bound: at.text(), reached }
    });
    judged.collect()
}

/// A bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Most(f64),
    Least(f64),
}

impl At {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Most(bound) => value <= bound,
            Self::Least(bound) => value >= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Most(bound) => format!("<= {bound}"),
            Self::Least(bound) => format!(">= {bound}"),
        }
    }
}
