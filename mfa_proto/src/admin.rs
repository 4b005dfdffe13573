//! Administration, version 1: one typed request and one typed reply per verb.
//!
//! Who may do what is decided by the daemon from the kernel's word on the peer (`SO_PEERCRED`): uid 0
//! everything, another uid a few verbs for its own account. Long answers come in pages.

mod audit;
mod directory;
mod explain;
mod factor;
mod identify;
mod orphans;
mod remembered;
mod status;

use serde::{Deserialize, Serialize};

pub use self::{
    audit::{AuditFilter, AuditPage, AuditReport, AuditRow, VERDICTS},
    directory::{DirectoryChange, Pulled, PulledFactor, SealedSecret},
    explain::{Counting, Explain, ExplainClient, Explanation, KeyClaim, Outlook},
    factor::{
        Algorithm, DeviceDetail, Enrolled, FactorDetail, FactorId, FactorKind, FactorState, HotpParams,
        NewFactor, NewParams, NewTag, RestParams, SentParams, TokenParams, TotpParams, UserDetail, UserPage,
        UserSummary,
    },
    identify::Identify,
    orphans::{LeftAlone, OrphanPage},
    remembered::{RememberedPage, RememberedRow},
    status::{ConfigReport, DirectoryState, LockReason, LockState, Status},
};
use crate::{
    name::{FactorLabel, UserId},
    secret::SecretText,
    tag::{Description, Serial},
    text::ShownText,
};

/// What a front end asks.
#[derive(Debug, Deserialize, Serialize)]
pub enum Request {
    /// Adds a factor. Reply: [`Reply::Enrolled`].
    Enroll(Box<NewFactor>),
    /// Proves a pending factor with one code, which makes it active. Reply: [`Reply::Done`].
    Confirm {
        /// Whose factor.
        user: UserId,
        /// Which; `None` when there is one pending factor.
        factor: Option<FactorId>,
        /// A code of that factor.
        code: SecretText,
    },
    /// Users in order of name, after `after`. Reply: [`Reply::Users`], or [`Reply::Orphans`].
    List {
        /// The last user of the page before.
        after: Option<UserId>,
        /// Only those whose account is gone, or has another uid now. A page may then be short, or empty,
        /// though there are more.
        orphaned: bool,
    },
    /// One user with its factors and limits. Reply: [`Reply::User`].
    Show {
        /// Whom.
        user: UserId,
    },
    /// Makes a factor unusable until it is enabled again. Reply: [`Reply::Done`].
    Disable {
        /// Whose and which.
        target: FactorRef,
        /// A current code; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Makes a disabled factor usable again; not one that was disabled by failures. uid 0 only.
    Enable {
        /// Whose and which.
        target: FactorRef,
    },
    /// Deletes a factor, or all of a user. Reply: [`Reply::Done`].
    Remove {
        /// Whose and which; `factor: None` takes all.
        target: FactorRef,
        /// A current code; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Ends the waits of a user now; counts stay. uid 0 only.
    Unlock {
        /// Whom.
        user: UserId,
    },
    /// Forgets failures and waits, and moves watermarks and drift to now, after a clock or counting
    /// accident. Used codes stay used. uid 0 only.
    Reset {
        /// Whom.
        user: UserId,
    },
    /// How the daemon is. Reply: [`Reply::Status`]. uid 0 only.
    Status,
    /// Audit rows, oldest first. Reply: [`Reply::Audit`]. uid 0 only.
    Audit(Box<AuditFilter>),
    /// Reads the configuration files and says what is wrong. Reply: [`Reply::Config`]. uid 0 only.
    ConfigCheck,
    /// Reads configuration and key again. Reply: [`Reply::Config`]. uid 0 only.
    Reload,
    /// Finds the counter of a device whose button was pressed too often, by two consecutive codes at most
    /// 100 ahead (RFC 4226 §7.4). Counts as one attempt. Reply: [`Reply::Done`].
    Resync {
        /// Whose and which.
        target: FactorRef,
        /// Two codes that the device showed one after the other.
        codes: [SecretText; 2],
    },
    /// Makes a new set of recovery codes; the codes of the set before are void. Reply:
    /// [`Reply::RecoveryCodes`].
    RecoveryNew {
        /// For whom.
        user: UserId,
        /// How many: 1 to [`crate::answer::RecoveryCode::MOST`].
        count: u8,
        /// A current code of an active factor; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Sends a code: to a pending factor to confirm it, to an active one as the current code that its
    /// owner needs for a change. Reply: [`Reply::Sent`].
    Send {
        /// Whose and which.
        target: FactorRef,
    },
    /// Makes a signed token of a token factor. Reply: [`Reply::Token`]. uid 0 only: a token is as good as a
    /// code, and whoever merely runs as the owner must not get one.
    TokenIssue {
        /// Whose and which.
        target: FactorRef,
    },
    /// Adds factors and recovery codes that were brought along, all or nothing, active at once. Reply:
    /// [`Reply::Done`]. uid 0 only.
    EnrollAll {
        /// For whom: every factor's user.
        user: UserId,
        /// The factors, each with its secret.
        factors: Vec<NewFactor>,
        /// Single-use codes of 8 digits.
        recovery: Vec<SecretText>,
        /// Replaces what has the same label, and the recovery codes.
        replace: bool,
    },
    /// Writes a consistent copy of the sealed database beside it. Reply: [`Reply::Copy`]. uid 0 only.
    Backup,
    /// Puts the copy that lies beside the database as `restore.db` in its place, fenced: no code that was
    /// used before or after the copy was made is accepted again. Reply: [`Reply::Restored`]. uid 0 only.
    Restore,
    /// Makes an invitation by which a user without a factor may enroll the first one; the invitation before
    /// is void. Reply: [`Reply::Invited`]. uid 0 only.
    Invite {
        /// Whom.
        user: UserId,
        /// Seconds that it counts.
        seconds: u32,
    },
    /// Takes an invitation back. Reply: [`Reply::Done`]. uid 0 only.
    Uninvite {
        /// Whose.
        user: UserId,
    },
    /// Successes that are remembered, in order of number. Reply: [`Reply::Remembered`]. Others than uid 0
    /// see their own account's.
    Remembered {
        /// Whose; `None` of all, for uid 0.
        user: Option<UserId>,
        /// Rows after this number.
        after: i64,
    },
    /// Forgets successes: the next login asks again. Reply: [`Reply::Done`] with how many. Others than
    /// uid 0 may do so for their own account, without a code: it takes nothing from anyone.
    Forget {
        /// Whose; `None` of all, for uid 0.
        user: Option<UserId>,
        /// Which; `None` all.
        row: Option<i64>,
    },
    /// Takes the factors of a user over for the account that bears the name now, or for another name whose
    /// account holds nothing: after a uid or a name was changed. Reply: [`Reply::Done`]. uid 0 only.
    Reassign {
        /// Whose factors.
        user: UserId,
        /// The account they are for; `None` the one of the same name.
        to: Option<UserId>,
    },
    /// Removes users whose account is gone or has another uid now: of those named here, who were shown to
    /// whoever decides, the ones of whom it still holds. Reply: [`Reply::Orphans`] with those it removed. uid 0
    /// only.
    PruneOrphaned {
        /// Whom.
        users: Vec<UserId>,
    },
    /// Verifies the whole audit trail. Reply: [`Reply::AuditReport`]. uid 0 only.
    AuditVerify,
    /// Says without logging in what decides and what a login would see. Reply: [`Reply::Explained`]. uid 0
    /// only.
    Explain(Box<Explain>),
    /// Makes a code that lets a user in once, whatever else it holds, within a while. Reply:
    /// [`Reply::BreakGlass`]. uid 0 only.
    BreakGlass {
        /// Whom.
        user: UserId,
        /// Seconds that it counts.
        seconds: u32,
        /// Why: for the trail, and for those who are told.
        reason: ShownText,
    },
    /// The figures of the daemon as OpenMetrics text, a part at a time. Reply: [`Reply::Metrics`]. uid 0
    /// only.
    Metrics {
        /// Bytes that were read before.
        after: u32,
    },
    /// The devices of a user's factors. Reply: [`Reply::Devices`]. Others than uid 0 see their own account's.
    Devices {
        /// Whose.
        user: UserId,
    },
    /// Finds a factor by the serial number of its device. Reply: [`Reply::Found`]. uid 0 only.
    Find {
        /// The serial number.
        serial: Serial,
    },
    /// Sets what is to be typed before each code of a factor; the PIN before is void. Reply: [`Reply::Done`].
    SetPin {
        /// Whose and which.
        target: FactorRef,
        /// The PIN ([`crate::answer::Pin`]); `None` lets codes count without one (uid 0 only).
        pin: Option<SecretText>,
        /// A current code, behind the PIN before where there is one; needed from all but uid 0.
        code: Option<SecretText>,
    },
    /// Names the device of a factor. Reply: [`Reply::Done`]. uid 0 only.
    Describe {
        /// Whose and which.
        target: FactorRef,
        /// The serial number; `None` leaves it as it is.
        serial: Option<Serial>,
        /// What the device is; `None` leaves it as it is, an empty line takes it away.
        description: Option<Description>,
    },
    /// Gives a device to a user: one that nobody has. Its PIN is void. Reply: [`Reply::Done`]. uid 0 only.
    Assign {
        /// The serial number.
        serial: Serial,
        /// To whom.
        user: UserId,
    },
    /// Takes a device back: nobody has it until it is given to somebody. Its PIN is void. Reply:
    /// [`Reply::Done`]. uid 0 only.
    Unassign {
        /// The serial number.
        serial: Serial,
    },
    /// Seals a secret for a person, to be put into the directory. Reply: [`Reply::Sealed`]. uid 0 only.
    LdapSeal {
        /// For whom.
        user: UserId,
        /// What its codes are like.
        params: TotpParams,
        /// The secret in base32; `None` has one made.
        secret: Option<SecretText>,
    },
    /// Takes over what the directory has of a person. Reply: [`Reply::Pulled`]. uid 0 only.
    LdapPull {
        /// Whom.
        user: UserId,
        /// Only says what would be changed.
        dry_run: bool,
    },
    /// As [`Request::Explain`], of a login that a client of mfad-web has verified. Reply:
    /// [`Reply::Explained`]. uid 0 only.
    ExplainClient(Box<ExplainClient>),
    /// Switches a factor off that was lost, and makes a code that lets its owner in once, within a while: both or
    /// neither. Reply: [`Reply::BreakGlass`]. uid 0 only.
    Lost {
        /// Whose and which.
        target: FactorRef,
        /// Seconds that the code counts.
        seconds: u32,
        /// Why: for the trail, and for those who are told.
        reason: ShownText,
    },
    /// Finds the device that shows a code, and uses the code up. Reply: [`Reply::Found`]. uid 0 only.
    Identify(Box<Identify>),
}

/// A factor of a user.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FactorRef {
    /// Whose.
    pub user: UserId,
    /// Which; `None` where the verb says what that means, else the user's only factor.
    pub factor: Option<FactorId>,
    /// Which, by label, where `factor` is not known.
    pub label: Option<FactorLabel>,
}

/// What the daemon answers.
#[derive(Debug, Deserialize, Serialize)]
pub enum Reply {
    /// It is done.
    Done {
        /// How many factors it concerned.
        factors: u32,
    },
    /// A new factor.
    Enrolled(Box<Enrolled>),
    /// One page of users.
    Users(UserPage),
    /// One user.
    User(Box<UserDetail>),
    /// How the daemon is.
    Status(Box<Status>),
    /// One page of audit rows.
    Audit(AuditPage),
    /// What became of a look at the configuration.
    Config(ConfigReport),
    /// Nothing was changed.
    Refused(Refusal),
    /// A new set of recovery codes. Shown once.
    RecoveryCodes {
        /// Its id.
        factor: FactorId,
        /// The codes, in groups.
        codes: Vec<SecretText>,
    },
    /// A code is on its way.
    Sent {
        /// Where to, masked.
        to: ShownText,
        /// Digits of the code.
        digits: u8,
        /// Until when it counts, Unix seconds.
        until: i64,
    },
    /// A signed token, valid for a few steps and once.
    Token(SecretText),
    /// A copy of the database.
    Copy {
        /// Where it is: a file that only root and the daemon read.
        path: String,
        /// Users in it.
        users: u64,
        /// The ids of the keys that are needed to read it.
        keys: Vec<String>,
    },
    /// The database was replaced by a copy.
    Restored(Restored),
    /// An invitation. Shown once.
    Invited {
        /// What the user is asked for.
        code: SecretText,
        /// Until when it counts, Unix seconds.
        until: i64,
    },
    /// One page of remembered successes.
    Remembered(RememberedPage),
    /// How the audit trail is.
    AuditReport(AuditReport),
    /// What a login would meet.
    Explained(Box<Explanation>),
    /// A code that lets in once. Shown once.
    BreakGlass {
        /// Its id.
        factor: FactorId,
        /// The code, in groups.
        code: SecretText,
        /// Until when it counts, Unix seconds.
        until: i64,
    },
    /// A part of the figures.
    Metrics {
        /// OpenMetrics text.
        text: String,
        /// There is more: ask again after what was read.
        more: bool,
    },
    /// Users whose account is gone or has another uid now: found, or removed.
    Orphans(OrphanPage),
    /// The factor with a serial number.
    Found {
        /// Whose; `None` when nobody has it.
        user: Option<UserId>,
        /// Which.
        factor: Box<FactorDetail>,
        /// Its device.
        device: Box<DeviceDetail>,
    },
    /// The devices of a user's factors, in order of number.
    Devices(Vec<DeviceDetail>),
    /// A secret, sealed for the directory. Shown once.
    Sealed(Box<SealedSecret>),
    /// What was taken over from the directory.
    Pulled(Pulled),
}

/// What became of a restored database.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Restored {
    /// Users in it.
    pub users: u64,
    /// Factors whose used codes were known from the database before: they go on as they were.
    pub carried_over: u64,
    /// Counter-based factors that were not known: disabled until they are resynchronized or enrolled anew.
    pub need_resync: u64,
    /// Sets of recovery codes that were not known: void, to be made anew.
    pub recovery_void: u64,
}

/// Why a request was refused, for programs and for people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what failed, on what, what to do next.
    pub message: ShownText,
}

/// Kinds of refusal; `mfactl` makes its exit code of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefusalCode {
    /// The peer's uid may not do this.
    NotAllowed,
    /// The host has no such account.
    UnknownUser,
    /// The user has no such factor.
    NoSuchFactor,
    /// More than one factor fits: name one.
    Ambiguous,
    /// The code was wrong, used before, or missing.
    WrongCode,
    /// Too many wrong codes: wait.
    Locked,
    /// The factor is not in a state that allows this.
    WrongState,
    /// Something given is not valid.
    Invalid,
    /// A bound is reached (factors of a user, size of a page).
    TooMany,
    /// Stored rows fail their integrity check.
    Tampered,
    /// The daemon cannot do it at present.
    Unavailable,
    /// A code was sent a moment ago, or too many were: wait.
    TooSoon,
    /// The code could not be sent.
    NotSent,
    /// An invitation is needed, or the one given does not count.
    Invitation,
}
