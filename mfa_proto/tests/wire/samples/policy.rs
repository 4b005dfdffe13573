//! The messages about policy, invitations, what is remembered, and the trail.

use mfa_proto::{
    admin::{
        AuditReport, Counting, Explain, ExplainClient, Explanation, FactorId, FactorKind, FactorState,
        KeyClaim, LeftAlone, LockReason, LockState, OrphanPage, Outlook, RememberedPage, RememberedRow,
        Reply, Request, UserSummary,
    },
    egress::{Authorization, Notice},
    name::{Claim, ClientName},
    text::ShownText,
};

use super::{Sample, jane, john, label, secret};

pub(super) fn requests() -> Vec<Sample> {
    let requests = [
        ("invite", Request::Invite { user: jane(), seconds: 259_200 }),
        ("uninvite", Request::Uninvite { user: jane() }),
        ("remembered", Request::Remembered { user: Some(jane()), after: 5 }),
        ("remembered/all", Request::Remembered { user: None, after: 0 }),
        ("forget", Request::Forget { user: Some(jane()), row: Some(6) }),
        ("forget/all", Request::Forget { user: None, row: None }),
        ("reassign", Request::Reassign { user: jane(), to: Some(john()) }),
        ("prune_orphaned", Request::PruneOrphaned { users: vec![jane(), john()] }),
        ("audit_verify", Request::AuditVerify),
        ("explain", Request::Explain(Box::new(explain()))),
        (
            "break_glass",
            Request::BreakGlass { user: jane(), seconds: 7200, reason: ShownText::clean("lost phone") },
        ),
        ("metrics", Request::Metrics { after: 3000 }),
        ("explain_client", Request::ExplainClient(Box::new(explain_client()))),
    ];
    requests.iter().map(|(name, request)| Sample::of(format!("request/{name}"), request)).collect()
}

pub(super) fn replies() -> Vec<Sample> {
    let replies = [
        ("invited", Reply::Invited { code: secret("GAYT-EMZU-GU3D-OOBZ"), until: 1_767_226_500 }),
        ("remembered", Reply::Remembered(RememberedPage { rows: vec![remembered()], more: true })),
        (
            "audit_report",
            Reply::AuditReport(AuditReport {
                rows: 9,
                first: 1,
                cut_chain: [0xc4; 32],
                last: 10,
                chain: [0xc5; 32],
                broken_at: Some(7),
                problem: Some(ShownText::clean("row 7 is missing")),
            }),
        ),
        ("explained", Reply::Explained(Box::new(explanation()))),
        (
            "break_glass",
            Reply::BreakGlass {
                factor: FactorId(9),
                code: secret("GAYT-EMZU-GU3D-OOBZ"),
                until: 1_767_226_500,
            },
        ),
        ("metrics", Reply::Metrics { text: "# EOF\n".into(), more: false }),
        ("orphans", Reply::Orphans(orphans())),
        (
            "found",
            Reply::Found {
                user: None,
                factor: Box::new(super::factor_detail()),
                device: Box::new(super::device_detail()),
            },
        ),
        ("devices", Reply::Devices(vec![super::device_detail()])),
    ];
    replies.iter().map(|(name, reply)| Sample::of(format!("reply/{name}"), reply)).collect()
}

fn orphans() -> OrphanPage {
    let why = ShownText::clean("the account database did not answer within 5s");
    OrphanPage {
        orphaned: vec![UserSummary {
            user: jane(),
            factors: vec![(FactorKind::Totp, FactorState::Active)],
            last_used: Some(1_767_225_600),
            lock: LockState::Open,
            tampered: false,
            emergency_until: None,
        }],
        left_alone: vec![LeftAlone { user: john(), why }],
        more_after: Some(john()),
    }
}

fn explain() -> Explain {
    Explain {
        user: jane(),
        service: "sshd".parse().unwrap(),
        source: Some(Claim::clean("203.0.113.7")),
        key: Some(KeyClaim {
            key_type: Claim::clean("sk-ssh-ed25519@openssh.com"),
            fingerprint: Some(Claim::clean("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")),
        }),
        at: Some(1_767_225_600),
    }
}

fn explain_client() -> ExplainClient {
    ExplainClient {
        user: jane(),
        client: ClientName::new("vpn").unwrap(),
        source: Some(Claim::clean("203.0.113.7")),
        at: Some(1_767_225_600),
    }
}

fn explanation() -> Explanation {
    Explanation {
        rule: Some("admins".into()),
        outlook: Outlook::Asked,
        why: vec![ShownText::clean("rule \"admins\" is the first that matches")],
        factors: vec![Counting {
            factor: FactorId(7),
            kind: FactorKind::BreakGlass,
            label: label("phone"),
            counts: true,
            lock: LockState::Open,
        }],
        needed: 2,
        remember: Some(28_800),
        lock: LockState::UntilAdmin { reason: LockReason::LongWindow },
        sees: Some(ShownText::clean("Verification code: ")),
    }
}

fn remembered() -> RememberedRow {
    RememberedRow {
        row: 5,
        user: jane(),
        class: ShownText::clean("sshd"),
        source: ShownText::clean("192.0.2.7/32"),
        key: Some(ShownText::clean("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")),
        rule: ShownText::clean("admins"),
        created: 1_767_225_600,
        expires: 1_767_254_400,
    }
}

pub(super) fn notice() -> Notice {
    Notice {
        seq: 42,
        time: 1_767_225_600,
        event: ShownText::clean("recovery_used"),
        user: jane(),
        service: Some(Claim::clean("sshd")),
        source: Some(Claim::clean("192.0.2.7")),
        factor: Some(ShownText::clean("recovery codes")),
        detail: Some(ShownText::clean("9 are left")),
        actor: 1000,
        to: Some(secret("jane@example.org")),
    }
}

pub(super) fn authorization() -> Authorization {
    Authorization {
        action: ShownText::clean("io.github.mfad.enroll"),
        pid: 4321,
        start_time: 987_654,
        uid: 1000,
    }
}
