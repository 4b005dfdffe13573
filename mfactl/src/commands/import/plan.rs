//! Sorts what was read by user, and sets aside what cannot be imported.

use std::collections::BTreeMap;

use mfa_proto::name::UserName;
use mfactl::import::{Entry, Format, Note, Options, Rejected, Whose, parse};

use super::{
    accounts::Host,
    input::Input,
    names::{Holder, Names, NoHolder},
    person::Person,
    skip::{Place, Skip},
};

/// All that was read, by user.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Users with all that is theirs.
    people: BTreeMap<UserName, Person>,
    /// What is nobody's, or cannot be read.
    pub(super) skipped: Vec<Skip>,
    /// Entries of other users than the one asked for.
    pub(super) left_out: usize,
}

impl Plan {
    /// Reads `inputs`; `format` is what they all are, where that was said.
    pub(super) fn of(inputs: Vec<Input>, format: Option<Format>, names: &Names, options: &Options) -> Self {
        let mut plan = Self::default();
        for input in inputs {
            let Some(format) = input.format.or(format).or_else(|| Format::detect(&input.bytes)) else {
                let skip =
                    Skip::at(Place::of(&input.path), None, "its format cannot be told from its first line");
                plan.skipped
                    .push(skip.hint("say it by --format; what formats there are: mfactl import --help"));
                continue;
            };
            let parsed = parse(format, &input.bytes, options);
            for entry in parsed.entries {
                plan.take(&input, names, entry);
            }
            for rejected in parsed.rejected {
                plan.reject(&input, names, rejected);
            }
        }
        plan
    }

    /// Who can be imported; those with troubles are set aside whole.
    pub(super) fn people(&mut self) -> Vec<Person> {
        self.compare_keys();
        let (well, troubled): (Vec<Person>, Vec<Person>) =
            std::mem::take(&mut self.people).into_values().partition(|person| person.troubles.is_empty());
        self.skipped.extend(troubled.into_iter().flat_map(Person::into_skips));
        well
    }

    fn take(&mut self, input: &Input, names: &Names, mut entry: Entry) {
        let place = Place::line(&input.path, entry.line);
        if input.readable {
            entry.notes.push(Note::ReadableByOthers);
        }
        match self.holder(input, names, &entry.whose, &place) {
            Ok(Some(person)) => person.add(place, entry),
            Ok(None) => {}
            Err(skip) => self.skipped.push(skip),
        }
    }

    fn reject(&mut self, input: &Input, names: &Names, rejected: Rejected) {
        let Rejected { line, whose, why } = rejected;
        let place = Place::line(&input.path, line);
        let mut skip = Skip::at(place.clone(), None, why.to_string());
        skip.hint = why.hint().map(ToOwned::to_owned);
        match self.holder(input, names, &whose, &place) {
            Ok(Some(person)) => {
                skip.user = Some(person.name.to_string());
                person.troubles.push(skip);
            }
            Ok(None) => {}
            // What is wrong with the line says more than that nobody holds it.
            Err(nobody) => {
                skip.user = nobody.user;
                self.skipped.push(skip);
            }
        }
    }

    fn holder(
        &mut self,
        input: &Input,
        names: &Names,
        whose: &Whose,
        place: &Place,
    ) -> Result<Option<&mut Person>, Skip> {
        match names.holder(input, whose, &Host) {
            Ok(Holder::User(name)) => {
                Ok(Some(self.people.entry(name.clone()).or_insert_with(|| Person::new(name))))
            }
            Ok(Holder::LeftOut) => {
                self.left_out = self.left_out.saturating_add(1);
                Ok(None)
            }
            Err(NoHolder { name, why, hint }) => Err(Skip::at(place.clone(), name, why).hint(hint)),
        }
    }

    /// Two users with one key can make each other's codes.
    fn compare_keys(&mut self) {
        let mut shared = Vec::new();
        let held = || {
            self.people
                .values()
                .flat_map(|person| person.factors.iter().map(move |planned| (person, planned)))
        };
        let mut sorted: Vec<_> = held().collect();
        sorted.sort_by(|(_, a), (_, b)| a.factor.key.order(&b.factor.key));
        for pair in sorted.windows(2) {
            let [(one, a), (other, b)] = pair else { continue };
            if one.name != other.name && a.factor.key == b.factor.key {
                shared.push((one.name.clone(), a.place.clone(), other.name.to_string()));
                shared.push((other.name.clone(), b.place.clone(), one.name.to_string()));
            }
        }
        for (name, place, with) in shared {
            if let Some(person) = self.people.get_mut(&name) {
                person.notes.push((place, Note::SharedKey { with }));
            }
        }
    }
}
