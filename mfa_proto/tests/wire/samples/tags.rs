//! The numbers that kinds of messages have on the wire: a new kind does not compile until it has one.

use mfa_proto::{
    admin::{Reply, Request},
    login::{ClientMessage, ServerMessage, Verdict},
};

/// The number of each request on the wire. A new one does not compile until it has one, and a sample.
pub(crate) fn request_tag(request: &Request) -> u8 {
    match request {
        Request::Enroll(_) => 0,
        Request::Confirm { .. } => 1,
        Request::List { .. } => 2,
        Request::Show { .. } => 3,
        Request::Disable { .. } => 4,
        Request::Enable { .. } => 5,
        Request::Remove { .. } => 6,
        Request::Unlock { .. } => 7,
        Request::Reset { .. } => 8,
        Request::Status => 9,
        Request::Audit(_) => 10,
        Request::ConfigCheck => 11,
        Request::Reload => 12,
        Request::Resync { .. } => 13,
        Request::RecoveryNew { .. } => 14,
        Request::Send { .. } => 15,
        Request::TokenIssue { .. } => 16,
        Request::EnrollAll { .. } => 17,
        Request::Backup => 18,
        Request::Restore => 19,
        Request::Invite { .. } => 20,
        Request::Uninvite { .. } => 21,
        Request::Remembered { .. } => 22,
        Request::Forget { .. } => 23,
        Request::Reassign { .. } => 24,
        Request::PruneOrphaned { .. } => 25,
        Request::AuditVerify => 26,
        Request::Explain(_) => 27,
        Request::BreakGlass { .. } => 28,
        Request::Metrics { .. } => 29,
        Request::Devices { .. } => 30,
        Request::Find { .. } => 31,
        Request::SetPin { .. } => 32,
        Request::Describe { .. } => 33,
        Request::Assign { .. } => 34,
        Request::Unassign { .. } => 35,
        Request::LdapSeal { .. } => 36,
        Request::LdapPull { .. } => 37,
        Request::ExplainClient(_) => 38,
        Request::Lost { .. } => 39,
        Request::Identify(_) => 40,
    }
}

/// The number of each reply on the wire, likewise.
pub(crate) fn reply_tag(reply: &Reply) -> u8 {
    match reply {
        Reply::Done { .. } => 0,
        Reply::Enrolled(_) => 1,
        Reply::Users(_) => 2,
        Reply::User(_) => 3,
        Reply::Status(_) => 4,
        Reply::Audit(_) => 5,
        Reply::Config(_) => 6,
        Reply::Refused(_) => 7,
        Reply::RecoveryCodes { .. } => 8,
        Reply::Sent { .. } => 9,
        Reply::Token(_) => 10,
        Reply::Copy { .. } => 11,
        Reply::Restored(_) => 12,
        Reply::Invited { .. } => 13,
        Reply::Remembered(_) => 14,
        Reply::AuditReport(_) => 15,
        Reply::Explained(_) => 16,
        Reply::BreakGlass { .. } => 17,
        Reply::Metrics { .. } => 18,
        Reply::Orphans(_) => 19,
        Reply::Found { .. } => 20,
        Reply::Devices(_) => 21,
        Reply::Sealed(_) => 22,
        Reply::Pulled(_) => 23,
    }
}

/// The number of each message of a client, likewise.
pub(crate) fn client_tag(message: &ClientMessage) -> u8 {
    match message {
        ClientMessage::Start(_) => 0,
        ClientMessage::Answer(_) => 1,
        ClientMessage::Withheld(_) => 2,
    }
}

/// The number of each message of the daemon, likewise.
pub(crate) fn server_tag(message: &ServerMessage) -> u8 {
    match message {
        ServerMessage::Prompt { .. } => 0,
        ServerMessage::Info(_) => 1,
        ServerMessage::Settled(_) => 2,
    }
}

/// The number of each verdict on the wire, likewise.
pub(crate) fn verdict_tag(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Accept => 0,
        Verdict::Deny => 1,
        Verdict::Locked => 2,
        Verdict::NotApplicable => 3,
        Verdict::Unavailable => 4,
    }
}
