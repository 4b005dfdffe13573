//! The report for people. What needs a hand stands last, where it is seen.

use std::collections::BTreeMap;
use std::fmt::Write;

use mfa_proto::text::escape_for_log;
use mfactl::import::{Note, Params};

use super::{
    super::{input::STDIN, person::Person, skip::Skip},
    Report,
};
use crate::render::{
    self,
    style::{Style, Tone},
    table::{self, Cell},
};

/// All of it.
pub(super) fn of(report: &Report, style: Style) -> String {
    let mut text = imported(report, style);
    text.push_str(&notes(&report.imported));
    text.push_str(&skipped(&report.skipped, style));
    if let Some(name) = &report.in_doubt {
        let name = escape_for_log(name.as_str());
        let _ = writeln!(
            text,
            "\nNot known: {name}. The daemon did not say what became of it: mfactl show {name}"
        );
    }
    if !report.untried.is_empty() {
        let names: Vec<&str> = report.untried.iter().map(mfa_proto::name::UserName::as_str).collect();
        let _ = writeln!(text, "\nNot tried: {}", listed(&names));
    }
    if let Some(why) = &report.unasked {
        let _ = writeln!(text, "\nWho holds factors already was not asked: {why}");
    }
    text.push_str(&summary(report));
    text.trim_start_matches('\n').to_owned()
}

fn imported(report: &Report, style: Style) -> String {
    if report.imported.is_empty() {
        return String::new();
    }
    let rows: Vec<[Cell; 3]> = report.imported.iter().flat_map(rows).collect();
    let title = if report.dry_run { "Would be imported:" } else { "Imported:" };
    format!("{}\n{}", style.paint(Tone::Strong, title), table::lines(None, rows, &mut [0; 3], style))
}

fn rows(person: &Person) -> Vec<[Cell; 3]> {
    let name = Cell::new(person.name.as_str());
    let mut codes = match person.recovery.len() {
        0 => String::new(),
        many => format!(", and {}", counted(many, "scratch code")),
    };
    person
        .factors
        .iter()
        .map(|planned| {
            let label = planned.label.as_str();
            let what = match planned.factor.params {
                Params::Totp(p) => {
                    let parameters = render::factor::parameters(p.algorithm, p.digits, Some(p.period));
                    format!("totp \"{label}\", {parameters}")
                }
                Params::Hotp(p) => {
                    let parameters = render::factor::parameters(p.algorithm, p.digits, None);
                    format!("hotp \"{label}\" from {}, {parameters}", p.counter)
                }
            };
            let what = what + &std::mem::take(&mut codes);
            [name.clone(), Cell::new(&what), Cell::new(&planned.place.to_string())]
        })
        .collect()
}

/// Each note once, with those whom it concerns; a number says enough where it is nearly everyone.
fn notes(people: &[Person]) -> String {
    let mut concerned: BTreeMap<&Note, Vec<&str>> = BTreeMap::new();
    for person in people {
        for (_, note) in &person.notes {
            let names = concerned.entry(note).or_default();
            if names.last() != Some(&person.name.as_str()) {
                names.push(person.name.as_str());
            }
        }
    }
    if concerned.is_empty() {
        return String::new();
    }
    let mut text = "\nTo know:\n".to_owned();
    for (note, names) in concerned {
        let many = note.is_routine() && names.len() > FEW;
        let whom = if many { counted(names.len(), "user") } else { listed(&names) };
        let _ = writeln!(text, "  {whom}: {}", escape_for_log(&note.text()));
    }
    text
}

/// Names that are written out.
const FEW: usize = 4;

fn skipped(skips: &[Skip], style: Style) -> String {
    let (present, others): (Vec<&Skip>, Vec<&Skip>) = skips.iter().partition(|skip| skip.present);
    let mut text = String::new();
    if !present.is_empty() {
        let names: Vec<&str> = present.iter().filter_map(|skip| skip.user.as_deref()).collect();
        let _ = writeln!(
            text,
            "\nLeft as they are, because they hold such factors already (--replace puts the new ones in their \
             place):\n  {}",
            listed(&names)
        );
    }
    if !others.is_empty() {
        let _ = writeln!(text, "\n{}", style.paint(Tone::Strong, "Skipped:"));
        let rows = others.iter().map(|skip| {
            let hint = skip.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            let why = format!("{}{hint}", skip.why);
            [
                Cell::new(skip.user.as_deref().unwrap_or("")),
                Cell::new(&skip.place.to_string()),
                Cell::new(&why),
            ]
        });
        text.push_str(&table::lines(None, rows.collect(), &mut [0; 3], style));
    }
    text
}

fn summary(report: &Report) -> String {
    let people = &report.imported;
    let factors = people.iter().map(|person| person.factors.len()).sum();
    let codes = people.iter().map(|person| person.recovery.len()).sum();
    let mut places = people.iter().flat_map(|person| &person.factors).map(|planned| &planned.place);
    let (all, factors, codes) =
        (counted(people.len(), "user"), counted(factors, "factor"), counted(codes, "scratch code"));
    let verb = if report.dry_run { "Would import" } else { "Imported" };
    let mut text = format!("\n{verb} {all}, {factors}, {codes}; skipped {}", report.skipped.len());
    if report.left_out != 0 {
        let _ = write!(text, "; left out {} of other users", report.left_out);
    }
    text.push_str(".\n");
    if report.dry_run {
        text.push_str("Nothing was changed: this was a dry run.\n");
    } else if places.any(|place| place.path != STDIN) {
        text.push_str("The files still hold the keys: delete them when logins work.\n");
    }
    text
}

fn counted(many: usize, what: &str) -> String {
    if many == 1 { format!("1 {what}") } else { format!("{many} {what}s") }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| escape_for_log(name)).collect::<Vec<_>>().join(", ")
}
