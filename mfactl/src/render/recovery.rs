//! Recovery codes on a sheet: numbered, in groups, with all that whoever finds it later has to know.

use mfa_proto::admin::FactorDetail;
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;
use zeroize::Zeroizing;

use super::style::{Style, Tone};
use super::time::Now;

/// So many codes are few: what the daemon warns of at a login, too.
pub(crate) const FEW: u32 = 2;

/// Bytes of the longest line with a code.
const LINE: usize = 40;

/// The sheet. Wiped when dropped, and made without growing, so that no copy stays behind.
pub(crate) fn sheet(whom: &UserId, codes: &[RecoveryCode], now: &Now) -> Zeroizing<String> {
    let head = format!(
        "Recovery codes of {}: {}, made {}.\nEach works once, in place of any other code. All that were made \
         before are void.\n\n",
        escape_for_log(&whom.to_string()),
        codes.len(),
        now.minute(),
    );
    let foot = "\nKeep them where the phone is not. They cannot be shown again.\n";
    let room = codes.len().saturating_mul(LINE).saturating_add(head.len()).saturating_add(foot.len());
    let mut sheet = Zeroizing::new(String::with_capacity(room));
    sheet.push_str(&head);
    for code in codes {
        sheet.push_str("    ");
        sheet.push_str(&code.grouped());
        sheet.push('\n');
    }
    sheet.push_str(foot);
    sheet
}

/// An emergency code with what it is. Wiped when dropped, and made without growing.
pub(crate) fn slip(whom: &UserId, code: &RecoveryCode, until: i64, now: &Now) -> Zeroizing<String> {
    let whom = escape_for_log(&whom.to_string());
    let head = format!("Emergency code of {whom}, until {}:\n\n    ", now.full(Some(until)));
    let foot =
        "\n\nIt lets in once, in place of any other code. It cannot be shown again; a new one voids it.\n";
    let room = LINE.saturating_add(head.len()).saturating_add(foot.len());
    let mut slip = Zeroizing::new(String::with_capacity(room));
    slip.push_str(&head);
    slip.push_str(&code.grouped());
    slip.push_str(foot);
    slip
}

/// An invitation with what its user does with it. Wiped when dropped, and made without growing.
pub(crate) fn invitation(whom: &UserId, code: &SecretText, until: i64, now: &Now) -> Zeroizing<String> {
    let head = format!("Invitation of {}, shown once:\n\n    ", escape_for_log(&whom.to_string()));
    let foot = format!(
        "\n\nIt counts once, until {}. The user types it at the next login, when asked for it, or at:\n    mfactl enroll totp\n",
        now.full(Some(until))
    );
    let room = LINE.saturating_add(head.len()).saturating_add(foot.len());
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str(&head);
    text.push_str(code.expose());
    text.push_str(&foot);
    text
}

/// How many are left.
pub(crate) fn left(whom: &UserId, set: &FactorDetail, now: &Now, style: Style) -> String {
    let left = set.left.unwrap_or(0);
    let tone = if left <= FEW { Tone::Warn } else { Tone::Plain };
    format!(
        "Recovery codes of {}: {}, made {}.\n",
        escape_for_log(&whom.to_string()),
        style.paint(tone, &format!("{left} left")),
        now.full(Some(set.created)),
    )
}
