//! Patterns in which a star stands for anything: core reads them alike. Refuses nothing: every text is a pattern.

pub(in super::super) use mfa_proto::pattern::fits;
