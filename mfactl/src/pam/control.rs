//! What a module returns, and what the control field makes of it (pam.conf(5)).

/// What a module returned, by libpam's number (`_pam_types.h`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(u8);

/// The words of the control field, in order of number.
const WORDS: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Code {
    /// `PAM_SUCCESS`.
    pub const SUCCESS: Self = Self(0);
    /// `PAM_PERM_DENIED`: what a line that cannot be read comes to.
    pub const PERM_DENIED: Self = Self(6);
    /// `PAM_AUTH_ERR`.
    pub const AUTH_ERR: Self = Self(7);
    /// `PAM_AUTHINFO_UNAVAIL`.
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// `PAM_USER_UNKNOWN`.
    pub const USER_UNKNOWN: Self = Self(10);
    /// `PAM_MAXTRIES`.
    pub const MAXTRIES: Self = Self(11);
    /// `PAM_NEW_AUTHTOK_REQD`: controls treat it like success.
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// `PAM_IGNORE`.
    pub const IGNORE: Self = Self(25);
    /// `PAM_ABORT`: libpam gives up.
    pub const ABORT: Self = Self(26);
    /// `PAM_MODULE_UNKNOWN`: the module is not there, or lacks the function.
    pub const MODULE_UNKNOWN: Self = Self(28);

    /// All codes, those first that say most to people.
    pub fn all() -> Vec<Self> {
        let first = [
            Self::SUCCESS,
            Self::AUTH_ERR,
            Self::AUTHINFO_UNAVAIL,
            Self::USER_UNKNOWN,
            Self::IGNORE,
            Self::MODULE_UNKNOWN,
            Self::MAXTRIES,
        ];
        let rest = (0..=31).map(Self).filter(|code| !first.contains(code));
        first.into_iter().chain(rest).collect()
    }

    /// The code of a word as the control field has it.
    pub fn of_word(word: &str) -> Option<Self> {
        let number = WORDS.iter().position(|known| known.eq_ignore_ascii_case(word))?;
        u8::try_from(number).ok().map(Self)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        WORDS.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }
}

/// What a return value does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// Counts as it is, unless something failed before.
    Ok,
    /// Like [`Self::Ok`], and ends this stack when nothing failed.
    Done,
    /// Fails; what follows is still called.
    Bad,
    /// Fails, and ends this stack.
    Die,
    /// Forgets what was before.
    Reset,
    /// Goes on after so many more lines.
    Jump(usize),
}

/// A control field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    actions: [Action; 32],
    /// Whether libpam understands it; what it does not, it takes for failure whatever the module says.
    pub valid: bool,
}

impl Control {
    /// All outcomes fail.
    pub const FAIL: Self = Self { actions: [Action::Bad; 32], valid: false };

    /// Reads a control field: a word, or what stands between brackets. (`include` and `substack` are not for
    /// modules.)
    pub fn read(text: &str) -> Self {
        let simple = |good, ignore, rest| {
            let mut actions = [rest; 32];
            set(&mut actions, Code::SUCCESS, good);
            set(&mut actions, Code::NEW_AUTHTOK_REQD, good);
            set(&mut actions, Code::IGNORE, ignore);
            Self { actions, valid: true }
        };
        match text.to_ascii_lowercase().as_str() {
            "required" => simple(Action::Ok, Action::Ignore, Action::Bad),
            "requisite" => simple(Action::Ok, Action::Ignore, Action::Die),
            "optional" => simple(Action::Ok, Action::Ignore, Action::Ignore),
            "sufficient" => simple(Action::Done, Action::Ignore, Action::Ignore),
            pairs => listed(pairs).unwrap_or(Self::FAIL),
        }
    }

    /// What `code` does.
    pub fn action(&self, code: Code) -> Action {
        self.actions.get(usize::from(code.0)).copied().unwrap_or(Action::Bad)
    }
}

fn set(actions: &mut [Action; 32], code: Code, action: Action) {
    if let Some(place) = actions.get_mut(usize::from(code.0)) {
        *place = action;
    }
}

/// `value=action …`. Values that are not named fail, unless there is a `default`.
fn listed(pairs: &str) -> Option<Control> {
    let spaced = pairs.replace('=', " = ");
    let mut words = spaced.split_whitespace();
    let mut named = Vec::new();
    let mut default = None;
    while let Some(value) = words.next() {
        (words.next()? == "=").then_some(())?;
        let action = action(words.next()?)?;
        if value == "default" {
            // The first one fills all that is open, so that a second finds nothing left.
            default.get_or_insert(action);
        } else {
            named.push((Code::of_word(value)?, action));
        }
    }
    let mut actions = [default.unwrap_or(Action::Bad); 32];
    for (code, action) in named {
        set(&mut actions, code, action);
    }
    Some(Control { actions, valid: true })
}

fn action(word: &str) -> Option<Action> {
    Some(match word {
        "ignore" => Action::Ignore,
        "ok" => Action::Ok,
        "done" => Action::Done,
        "bad" => Action::Bad,
        "die" => Action::Die,
        "reset" => Action::Reset,
        number => Action::Jump(number.parse().ok().filter(|lines| *lines > 0)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_what_the_manual_says() {
        for (word, listed) in [
            ("required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"),
            ("requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"),
            ("sufficient", "success=done new_authtok_reqd=done default=ignore"),
            ("optional", "success=ok new_authtok_reqd=ok default=ignore"),
        ] {
            assert_eq!(Control::read(word), Control::read(listed), "{word}");
        }
    }

    #[test]
    fn what_is_not_named_fails() {
        let control = Control::read("success=2");
        assert_eq!(control.action(Code::SUCCESS), Action::Jump(2));
        assert_eq!(control.action(Code::AUTH_ERR), Action::Bad);
        let control = Control::read("default=ignore success=ok");
        assert_eq!(control.action(Code::SUCCESS), Action::Ok, "the default is for the others");
        assert_eq!(control.action(Code::AUTH_ERR), Action::Ignore);
    }

    #[test]
    fn what_libpam_does_not_understand_fails_whatever_the_module_says() {
        for text in ["reqired", "success", "success=", "success=0", "success=okay", "sucess=ok", "success ok"]
        {
            let control = Control::read(text);
            assert!(!control.valid, "{text}");
            assert_eq!(control.action(Code::SUCCESS), Action::Bad, "{text}");
        }
    }
}
