//! Tokens and the trail as CSV: whole rows, which no spreadsheet takes for formulas.

use super::{
    LINOTP, as_client, call, fault, init, linotp,
    rig::{Answered, Rig, VPN, WIKI},
    rows, value,
};

/// The fields of CSV as RFC 4180 has them; a quote that is not doubled ends one.
fn read(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            other if other == delimiter && !quoted => line.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    assert!(!quoted && line.is_empty() && field.is_empty(), "it ends within a line: {text}");
    lines
}

#[track_caller]
fn sheet(answered: &Answered, file: &str, delimiter: char) -> Vec<Vec<String>> {
    assert_eq!(answered.status, 200, "{answered:?}");
    let head = answered.head.to_lowercase();
    for line in [
        "content-type: text/csv; charset=utf-8",
        &format!("content-disposition: attachment; filename={file}"),
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert!(head.contains("cache-control: no-store"), "{head}");
    read(&answered.body, delimiter)
}

async fn tokens(rig: &Rig, form: &str, delimiter: char) -> Vec<Vec<String>> {
    let answered = as_client(rig, VPN, "/admin/show", &format!("outform=csv&{form}")).await;
    sheet(&answered, "linotp-tokendata.csv", delimiter)
}

#[tokio::test]
async fn tokens_come_as_a_sheet() {
    let rig = linotp().await;
    init(&rig, "AA1", "&user=jane&description=%3D1%2B1%3B%22x%22%2Cy").await;
    init(&rig, "BB1", "&user=mary@vpn").await;
    init(&rig, "CC1", "").await;
    let lines = tokens(&rig, "", ',').await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    let asked = rows(&rig, "").await;
    let names: Vec<_> = asked[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(lines[0], names);
    let column = |name: &str| names.iter().position(|known| known == name).unwrap();
    for (line, row) in lines[1..].iter().zip(&asked) {
        assert_eq!(line.len(), names.len());
        assert_eq!(
            line[column("LinOtp.TokenSerialnumber")],
            row["LinOtp.TokenSerialnumber"].as_str().unwrap()
        );
        assert_eq!(line[column("LinOtp.MaxFail")], row["LinOtp.MaxFail"].to_string());
        assert_eq!(line[column("LinOtp.Isactive")], "true");
    }
    let of =
        |serial: &str| lines.iter().find(|line| line[column("LinOtp.TokenSerialnumber")] == serial).unwrap();
    assert_eq!(of("AA1")[column("LinOtp.TokenDesc")], "'=1+1;\"x\",y", "it is no formula");
    let realm = column("LinOtp.RealmNames");
    assert_eq!((of("BB1")[realm].as_str(), of("CC1")[realm].as_str()), ("vpn", ""));
    assert_eq!(&tokens(&rig, "delimiter=%3B&user=jane", ';').await[1], of("AA1"));
    let paged = tokens(&rig, "page=2&pagesize=2", ',').await;
    assert_eq!(paged[1..], lines[3..]);
    let more = tokens(&rig, "serial=AA1&user_fields=email,+username", ',').await;
    assert_eq!(more[0].len(), names.len() + 1, "the name is there already: {more:?}");
    assert!(more[0].contains(&"User.email".to_owned()), "{more:?}");
    assert!(tokens(&rig, "user=nobody", ',').await.is_empty());
    for wrong in ["outform=xml", "outform=csv&delimiter=x", "outform=csv&delimiter=%22", "user_fields=a.b"] {
        assert_eq!(fault(&call(&rig, "/admin/show", wrong).await).0, 905, "{wrong}");
    }
    let refused = as_client(&rig, WIKI, "/admin/show", "outform=csv").await;
    assert_eq!(fault(&refused.json()).0, 410, "who may not see all users gets no sheet of them either");
}

#[tokio::test]
async fn the_trail_comes_as_a_sheet() {
    let rig = linotp().await;
    init(&rig, "AA1", "&user=jane").await;
    for number in 0..20 {
        let verb = if number % 2 == 0 { "disable" } else { "enable" };
        call(&rig, &format!("/admin/{verb}"), "serial=AA1").await;
    }
    let trail = |form: &'static str| {
        let rig = &rig;
        async move {
            let answered = as_client(rig, VPN, "/audit/search", &format!("outform=csv&{form}")).await;
            sheet(&answered, "linotp-audit.csv", if form.contains("delimiter=%09") { '\t' } else { ',' })
        }
    };
    let all = trail("").await;
    assert!(all.len() > 20 && all.iter().all(|line| line.len() == 17), "all, beyond a page: {all:?}");
    let paged = as_client(&rig, VPN, "/audit/search", "sortorder=desc").await.json();
    assert_eq!(paged["rows"].as_array().unwrap().len(), 15);
    let headed = trail("headers=").await;
    assert_eq!(headed[0][..4], ["number", "date", "sig_check", "missing_line"]);
    assert_eq!(headed[1..], all);
    let found = trail("action=admin%2Fdisable&user=jane&sortorder=desc&delimiter=%09").await;
    assert_eq!(found.len(), 10);
    for (column, expected) in
        [(4, "admin/disable"), (5, "1"), (6, "AA1"), (8, "jane"), (10, "console"), (16, "0")]
    {
        assert_eq!(found[0][column], expected, "{:?}", found[0]);
    }
    assert_eq!(trail("rp=3&page=2").await, all[3..6]);
    assert_eq!(fault(&as_client(&rig, VPN, "/audit/search", "outform=pdf").await.json()).0, 905);
    assert_eq!(fault(&as_client(&rig, WIKI, "/audit/search", "outform=csv").await.json()).0, 410);
}

/// What stands in the trail may be of anybody: of who tries names at a login, for one.
#[tokio::test]
async fn names_in_the_trail_are_no_formulas() {
    let rig = linotp().await;
    let name = "=cmd|'calc'!A0";
    rig.daemon.login(name, &["000000"; 3]).await;
    let answered = as_client(&rig, VPN, "/audit/search", "outform=csv").await;
    let lines = sheet(&answered, "linotp-audit.csv", ',');
    assert!(lines.iter().any(|line| line[8] == format!("'{name}")), "{lines:?}");
    assert!(!lines.iter().flatten().any(|field| field.starts_with(['=', '+', '-', '@'])), "{lines:?}");
}

/// Errors alone become pages, and of those the ones that the configuration names.
#[tokio::test]
async fn the_configuration_says_which_errors_become_pages() {
    let rig = Rig::of(&format!("[web.linotp]\nerrors = [1102, -311]\n{LINOTP}")).await;
    init(&rig, "AA1", "&user=jane").await;
    for (path, form, status) in [
        ("/admin/init", "type=hmac", 200),
        ("/admin/remove", "", 200),
        ("/admin/show", "outform=xml", 200),
        ("/admin/remove", "serial=NOPE", 418),
        ("/admin/init", "otpkey=zz", 418),
    ] {
        let answered = as_client(&rig, VPN, path, &format!("{form}&httperror=418")).await;
        assert_eq!(answered.status, status, "{path} {form} {answered:?}");
        if status == 200 {
            assert_eq!(fault(&answered.json()).0, 905, "{path} {form}");
        } else {
            assert!(answered.head.contains("text/html"), "{answered:?}");
        }
    }
    assert_eq!(value(&call(&rig, "/admin/remove", "serial=AA1&httperror=418").await), 1);
}
