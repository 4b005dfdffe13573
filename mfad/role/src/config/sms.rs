//! `[sms]`: codes by text message, and the order in which gateways are tried.

use super::{
    gateway::{self, Gateway},
    kinds::names,
    reader::{Reader, Section},
    sent::{IN_MESSAGES, SentLimits},
    suggest::printable,
    template::{Fact, Template, template},
};

/// The longest text, in bytes: three messages, as telephones join them.
const MAX_TEXT: usize = 459;
/// The most gateways: each may take its whole time before the next is tried.
const MAX_GATEWAYS: usize = 8;
/// Short enough for one message. The last line is what telephones take the code out of by themselves.
const DEFAULT_TEXT: &str = "{code} is your code for {host}, good for {minutes} min.\n\n@{host} #{code}";

/// Codes by text message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sms {
    /// How codes are made, and how many are sent.
    pub limits: SentLimits,
    /// What is sent.
    pub text: Template,
    /// In the order in which they are tried. Without any, no messages are sent.
    pub gateways: Vec<Gateway>,
}

impl Sms {
    /// Whether messages can be sent.
    pub fn is_on(&self) -> bool {
        !self.gateways.is_empty()
    }

    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "sms");
        let s = &mut section;
        let limits = SentLimits::read(reader, s, "per_number_day");
        let text = reader.optional(s, "text", template(MAX_TEXT, true, IN_MESSAGES));
        if text.value.as_ref().is_some_and(|text| !text.has(Fact::Code)) {
            reader.fault(text.place, "`sms.text` has no {code} in it: write where the code stands");
        }
        let text = text.value.or_else(|| Template::parse(DEFAULT_TEXT, IN_MESSAGES).ok());
        let gateways = read_gateways(reader, s);
        reader.close(section);
        Self { limits, text: text.unwrap_or_default(), gateways }
    }
}

/// The gateways that are to be used, in their order.
fn read_gateways(reader: &mut Reader, section: &mut Section) -> Vec<Gateway> {
    let order = reader.optional(section, "gateways", names::<String>("twilio"));
    let mut defined = Vec::new();
    for (name, place, table) in reader.tables(section, "gateway") {
        let gateway = gateway::read(reader, name.clone(), place, table);
        defined.push((name, place, gateway));
    }
    let Some(order_names) = order.value else {
        if let Some((_, place, _)) = defined.first().filter(|_| !order.faulty) {
            let list = defined.iter().map(|(name, ..)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let message = format!(
                "`sms.gateways` does not say which gateways are used, in what order: add `gateways = [{list}]` to [sms]"
            );
            reader.fault(Some(*place), message);
        }
        return Vec::new();
    };
    if order_names.len() > MAX_GATEWAYS {
        reader.fault(order.place, format!("`sms.gateways` has too many entries: keep {MAX_GATEWAYS}"));
    }
    let mut used = Vec::new();
    for name in order_names {
        let found = defined.iter().position(|(other, ..)| *other == name).map(|at| defined.swap_remove(at));
        let Some((.., gateway)) = found else {
            let shown = printable(&name);
            let message =
                format!("`sms.gateways` names \"{shown}\", which is not there: add [sms.gateway.{shown}]");
            reader.fault(order.place, message);
            continue;
        };
        used.extend(gateway);
    }
    used
}
