//! Which of the modems sends. Refuses one that is not enabled, and says what it lacks.

use std::{cmp::Reverse, collections::HashMap};

use tokio::time::Instant;
use zbus::wire::{OwnedObjectPath, OwnedVariant};

use super::{
    ModemChoice, ModemError, Step,
    bus::{Bus, Method},
};

/// The D-Bus path of the modem to use.
pub(super) async fn modem(
    bus: &Bus,
    choice: &ModemChoice,
    deadline: Instant,
) -> Result<OwnedObjectPath, ModemError> {
    let list = Method {
        path: "/org/freedesktop/ModemManager1",
        interface: "org.freedesktop.DBus.ObjectManager",
        name: "GetManagedObjects",
        step: Step::Find,
    };
    let answer = bus.call_until(&list, &(), deadline).await?;
    let objects: Objects = answer.body().deserialize().map_err(|_| ModemError::Lost(Step::Find))?;
    choose(objects.iter().filter_map(|(path, interfaces)| Candidate::read(path, interfaces)), choice)
}

type Objects = HashMap<OwnedObjectPath, Interfaces>;
type Interfaces = HashMap<String, HashMap<String, OwnedVariant>>;

/// A modem that has messages.
#[derive(Clone, Debug)]
struct Candidate {
    path: OwnedObjectPath,
    names: Vec<String>,
    state: i32,
}

impl Candidate {
    fn read(path: &OwnedObjectPath, interfaces: &Interfaces) -> Option<Self> {
        let modem = interfaces.get(MODEM)?;
        let name = |key: &&str| modem.get(*key).and_then(|v| v.downcast_ref::<&str>().ok());
        let names = ["EquipmentIdentifier", "PrimaryPort", "Device"].iter().filter_map(name);
        let state = modem.get("State").and_then(|v| v.downcast_ref::<i32>().ok());
        // Without the interface for messages, the state tells why: the SIM is locked, or there is none.
        let known = interfaces.contains_key(MESSAGING) || state.is_some_and(|s| s < ENABLED);
        known.then(|| Self {
            path: path.clone(),
            names: names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect(),
            state: state.unwrap_or_default(),
        })
    }

    fn is_chosen(&self, choice: &ModemChoice) -> bool {
        match choice {
            ModemChoice::Any => true,
            ModemChoice::Named(name) => self.names.contains(name),
            ModemChoice::Path(path) => self.path.as_str() == path,
        }
    }
}

/// Registered ones first, then enabled ones, then by path, so that it is the same one each time.
fn choose(
    candidates: impl Iterator<Item = Candidate>,
    choice: &ModemChoice,
) -> Result<OwnedObjectPath, ModemError> {
    let chosen = candidates
        .filter(|candidate| candidate.is_chosen(choice))
        .min_by_key(|c| (Reverse((c.state >= REGISTERED, c.state >= ENABLED)), c.path.as_str().to_owned()))
        .ok_or_else(|| ModemError::NoModem { wanted: choice.to_string() })?;
    match unready(chosen.state) {
        None => Ok(chosen.path),
        Some(state) => Err(ModemError::NotReady { modem: chosen.path.as_str().to_owned(), state }),
    }
}

/// `ModemManager`'s `MMModemState`, as far as it keeps a modem from sending. One that searches may find a network in time.
fn unready(state: i32) -> Option<&'static str> {
    match state {
        ENABLED.. => None,
        -1 => Some("failed"),
        1 => Some("being set up"),
        2 => Some("locked: its SIM wants a PIN"),
        3 => Some("disabled"),
        4 => Some("being disabled"),
        5 => Some("being enabled"),
        _ => Some("in an unknown state"),
    }
}

const ENABLED: i32 = 6;
const REGISTERED: i32 = 8;
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(number: u32, imei: &str, state: i32) -> Candidate {
        let path = format!("/org/freedesktop/ModemManager1/Modem/{number}").try_into().unwrap();
        Candidate { path, names: vec![imei.to_owned(), format!("cdc-wdm{number}")], state }
    }

    fn chosen(candidates: &[Candidate], choice: &ModemChoice) -> Result<String, ModemError> {
        choose(candidates.iter().cloned(), choice)
            .map(|path| path.as_str().rsplit('/').next().unwrap().to_owned())
    }

    #[test]
    fn a_registered_modem_goes_before_a_searching_one_and_both_before_a_locked_one() {
        let (locked, searching) = (candidate(0, "000", 2), candidate(1, "111", 7));
        let (home, connected) = (candidate(2, "222", 8), candidate(3, "333", 11));
        let any = ModemChoice::Any;
        let all = [connected, locked.clone(), home, searching.clone()];
        assert_eq!(chosen(&all, &any).unwrap(), "2");
        assert_eq!(chosen(&[locked.clone(), searching], &any).unwrap(), "1");
        assert!(
            matches!(chosen(&[locked], &any), Err(ModemError::NotReady { state, .. }) if state.contains("PIN"))
        );
        assert_eq!(chosen(&all, &ModemChoice::Named("111".into())).unwrap(), "1");
        assert_eq!(chosen(&all, &ModemChoice::Named("cdc-wdm3".into())).unwrap(), "3");
        let path = "/org/freedesktop/ModemManager1/Modem/3";
        assert_eq!(chosen(&all, &ModemChoice::Path(path.into())).unwrap(), "3");
    }

    #[test]
    fn another_modem_than_the_named_one_never_sends() {
        let all = [candidate(0, "000", 8), candidate(1, "111", 8)];
        for choice in [
            ModemChoice::Named("999".into()),
            ModemChoice::Named(String::new()),
            ModemChoice::Path("/x".into()),
        ] {
            assert_eq!(chosen(&all, &choice), Err(ModemError::NoModem { wanted: choice.to_string() }));
        }
    }

    #[test]
    fn only_enabled_modems_are_ready() {
        assert!((-1..6).chain([-2, i32::MIN]).all(|state| unready(state).is_some()));
        assert!((6..=11).all(|state| unready(state).is_none()));
    }
}
