//! Which kinds of factor count for a rule.

use mfa_proto::admin::FactorKind;

/// A set of kinds. An emergency code counts everywhere: it is made for when nothing else does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kinds(u16);

impl Kinds {
    /// All kinds.
    pub const ALL: Self = Self(u16::MAX);

    /// Some kinds, and emergency codes.
    pub fn of(kinds: impl IntoIterator<Item = FactorKind>) -> Self {
        let with = |set: u16, kind: FactorKind| set | bit(kind);
        Self(kinds.into_iter().fold(bit(FactorKind::BreakGlass), with))
    }

    /// The set as a number: the same for the same kinds, from one version to the next.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether a kind is one of them.
    pub const fn contains(self, kind: FactorKind) -> bool {
        self.0 & bit(kind) != 0
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::ALL
    }
}

const fn bit(kind: FactorKind) -> u16 {
    match kind {
        FactorKind::Totp => 1,
        FactorKind::Hotp => 1 << 1,
        FactorKind::Recovery => 1 << 2,
        FactorKind::Sms => 1 << 3,
        FactorKind::Mail => 1 << 4,
        FactorKind::Rest => 1 << 5,
        FactorKind::Token => 1 << 6,
        FactorKind::BreakGlass => 1 << 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_named_counts_beside_emergency_codes() {
        for one in FactorKind::ALL {
            let set = Kinds::of([one]);
            for kind in FactorKind::ALL {
                assert_eq!(
                    set.contains(kind),
                    kind == one || kind == FactorKind::BreakGlass,
                    "{one:?} {kind:?}"
                );
                assert!(Kinds::ALL.contains(kind));
            }
        }
    }
}
