//! Codes that are sent: what `[sms]` and `[mail]` have in common for the side that makes the codes.

use std::time::Duration;

use super::{
    kinds::{duration, number, show_duration},
    reader::{Reader, Section},
    template::{Allowed, Fact},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Half of the time that one login has: whoever waits for a code in vain can have another one sent.
pub(super) const RESEND: Duration = Duration::from_secs(30);

/// What may stand in the text of a message.
pub(super) const IN_MESSAGES: Allowed = Allowed {
    facts: &[Fact::Code, Fact::Host, Fact::User, Fact::Service, Fact::Minutes],
    credentials: false,
};

/// How codes are made that are sent, and how many are.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SentLimits {
    /// Decimal digits of a code: 6 to 8.
    pub digits: u8,
    /// How long a code counts: at most 10 minutes (NIST SP 800-63B-4 §3.1.3.2).
    pub lifetime: Duration,
    /// How long after one code the next may be asked for.
    pub resend_interval: Duration,
    /// The most codes for one user in a day.
    pub per_user_day: u32,
    /// The most codes to one number or address in a day.
    pub per_target_day: u32,
    /// The most codes in a day, of all users together: at most 20,000, because each code is counted against
    /// all of the day, row by row.
    pub global_day: u32,
}

impl SentLimits {
    /// Reads the keys that both kinds have. `per_target` is what the cap for one target is called.
    pub(super) fn read(reader: &mut Reader, section: &mut Section, per_target: &'static str) -> Self {
        let lifetime = reader.value(section, "lifetime", MINUTE * 5, duration(MINUTE..=MINUTE * 10));
        let resend = reader.value(section, "resend_interval", RESEND, duration(SECOND * 10..=MINUTE * 10));
        if resend.value > lifetime.value && !lifetime.faulty {
            let most = show_duration(lifetime.value);
            let message = format!("`resend_interval` is above `lifetime`: write at most \"{most}\"");
            reader.fault(resend.place.or(lifetime.place), message);
        }
        let per_user = reader.value(section, "per_user_day", 20, number(1..=1000));
        let per_target = reader.value(section, per_target, 20, number(1..=1000));
        let global = reader.value(section, "global_day", 1000, number(1..=20_000));
        for cap in [&per_user, &per_target] {
            if cap.value > global.value && !global.faulty {
                let message =
                    format!("is above `global_day` ({}): no more than that are ever sent", global.value);
                reader.fault(cap.place.or(global.place), format!("a cap for one {message}"));
            }
        }
        Self {
            digits: reader.value(section, "digits", 6, number(6..=8)).value,
            lifetime: lifetime.value,
            resend_interval: resend.value,
            per_user_day: per_user.value,
            per_target_day: per_target.value,
            global_day: global.value,
        }
    }
}
