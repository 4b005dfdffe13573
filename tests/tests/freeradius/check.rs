//! FreeRADIUS before `/validate/check`, which says yes and no with one status: the whole text of a yes is an
//! `Access-Accept`, and nothing else is.

use mfa_tests::{gateway::Gateway, otp::Seed, sys::wait_until, world};

use super::{
    fronted, fronted_with, lets_jane_in, no_stranger_is_asked, nothing_else_lets_in,
    server::{Answer, Radius, Settings, certify, login, rejected_with, said},
};

/// As docs/compat.md has it.
const CHALLENGES: &str = "[web.linotp]\nchallenge_response = true\n";

/// A yes of mfad-web.
const YES: &str = r#"{
   "version": "LinOTP 2.11.2",
   "jsonrpc": "2.0802",
   "result": {
      "status": true,
      "value": true
   },
   "id": 0
}"#;

#[test]
fn radius_accepts_a_code_that_check_takes_and_nothing_else() {
    world::enter("check::radius_accepts_a_code_that_check_takes_and_nothing_else", |world| {
        for name in ["bob", "eve"] {
            world.add_quick_user(name);
        }
        let (daemon, _web, seed) = fronted_with(world, CHALLENGES);
        let bobs = Seed::of("bob");
        daemon.enroll_hotp("bob", &bobs, 0);
        daemon.ctl_with(&["pin", "set", "bob"], "12+4\n").ok();
        let _radius = Radius::start(&Settings::check());
        lets_jane_in(&daemon, &seed);
        assert_eq!(rejected_with("jane", &seed.hotp(0)), 200, "a used code");
        assert_eq!(rejected_with("jane", &seed.wrong()), 200, "a wrong code");
        daemon.wait_out_short_waits("jane");

        assert_eq!(rejected_with("bob", "12+4"), 200, "a challenge, of which the server knows nothing");
        assert_eq!(rejected_with("bob", &bobs.hotp(0)), 200, "no PIN");
        daemon.wait_out_short_waits("bob");
        assert_eq!(rejected_with("bob", &format!("12+5{}", bobs.hotp(0))), 200, "a wrong PIN");
        daemon.wait_out_short_waits("bob");
        assert_eq!(login("bob", &format!("12+4{}", bobs.hotp(0))), Answer::Accept, "{}", said());

        assert_eq!(rejected_with("eve", &seed.hotp(1)), 200, "she has no factor");
        nothing_else_lets_in(&seed, ("pass", 200));
    });
}

#[test]
fn radius_rejects_all_while_check_cannot_judge() {
    world::enter("check::radius_rejects_all_while_check_cannot_judge", |world| {
        let (mut daemon, mut web, seed) = fronted(world);
        web.kill();
        let _radius = Radius::start(&Settings::check());
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Reject, "the server starts without mfad-web");
        web.begin(&daemon);
        // It tries to connect again a second after it could not.
        wait_until("the server asks again", || login("jane", &seed.hotp(0)) == Answer::Accept);

        daemon.kill();
        assert_eq!(rejected_with("jane", &seed.hotp(1)), 200, "core is away");
        daemon.begin();
        assert_eq!(login("jane", &seed.hotp(1)), Answer::Accept, "{}", said());

        web.kill();
        assert_eq!(login("jane", &seed.hotp(2)), Answer::Reject, "mfad-web is away");
        web.credential("radius-token", "another-secret");
        web.begin(&daemon);
        wait_until("the server asks again", || {
            assert_eq!(login("jane", &seed.hotp(2)), Answer::Reject, "mfad-web does not know who asks");
            said().contains("reply:REST-HTTP-Status-Code = \"401\"")
        });
        web.kill();
        web.credential("radius-token", "radius-secret");
        no_stranger_is_asked(&daemon, &mut web, &seed.hotp(2));
    });
}

/// Answers whose text, or status and text, are no yes.
fn no_yes() -> Vec<(u16, String)> {
    let changed = |old: &str, new: &str| (200, YES.replace(old, new));
    let mut all = vec![
        changed("\"value\": true", "\"value\": false"),
        changed("\"value\": true", "\"value\": 1"),
        changed("\"value\": true", "\"value\": \"true\""),
        changed("\"value\": true", "\"value\": {\"value\": true}"),
        changed("\"value\": true", "\"value\": false,\n      \"value\": true"),
        changed("\"value\": true", "\"value\": true,\n      \"value\": false"),
        changed("\"status\": true", "\"status\": false"),
        changed("\"status\": true,\n", ""),
        changed("\"id\": 0", "\"id\": 0,\n   \"result\": {\"status\": true, \"value\": false}"),
        changed("\"id\": 0", "\"id\": 1"),
        changed("LinOTP", "eduMFA"),
        changed("\n}", ""),
    ];
    let told = format!("{{\"error\": {YES}}}");
    let texts = ["", " ", "{}", "true", ":-)", "\"value\": true", "<html>true</html>", &told];
    // What a decoder of JSON or forms would write into attributes.
    let attributes = [
        r#"{"control:Auth-Type": "Accept", "reply:REST-HTTP-Body": ":-)", "result": {"value": true}}"#,
        "control:Auth-Type=Accept&reply:REST-HTTP-Body=%3A-%29",
    ];
    all.extend(texts.into_iter().chain(attributes).map(|text| (200, text.to_owned())));
    for around in [("x", ""), ("", "x"), ("x\n", ""), ("", "\nx"), ("[", "]"), (YES, "")] {
        all.push((200, format!("{}{YES}{}", around.0, around.1)));
    }
    all.extend([201, 202, 400, 401, 403, 404, 429, 500, 503].map(|status| (status, YES.to_owned())));
    all.push((204, String::new()));
    all
}

/// What the server makes of each of these answers; the code is the number of the answer.
#[track_caller]
fn takes(settings: Settings, yes: &[(u16, String)], no: &[(u16, String)]) {
    certify();
    let answers = [no, yes].concat();
    let scripted = answers.clone();
    // Stands for mfad-web, to have all that can come from there.
    let gateway = Gateway::start(move |asked| {
        let number: usize = asked.json()["pass"].as_str().unwrap().parse().unwrap();
        scripted[number].clone()
    });
    let _radius = Radius::start(&settings.before(&gateway.url("")));
    for (number, (status, text)) in answers.iter().enumerate() {
        let expected = if number < no.len() { Answer::Reject } else { Answer::Accept };
        assert_eq!(login("jane", &number.to_string()), expected, "{status} {text}\n{}", said());
    }
    assert_eq!(gateway.received().len(), answers.len(), "each was asked for");
}

#[test]
fn radius_takes_the_whole_text_of_a_yes_and_no_other() {
    world::enter("check::radius_takes_the_whole_text_of_a_yes_and_no_other", |_world| {
        let newer =
            YES.replace("2.11.2\",", "3.4\",\n   \"versionNumber\": \"3.4\",").replace("2.0802", "2.0");
        takes(Settings::check(), &[(200, YES.to_owned()), (200, newer)], &no_yes());
    });
}

#[test]
fn radius_takes_the_word_of_simplecheck_and_no_other() {
    world::enter("check::radius_takes_the_word_of_simplecheck_and_no_other", |_world| {
        let texts =
            ["", ":-(", ":-( 12345678901234567890 Code: ", ":-) ", " :-)", ":-)\n", ":-):-)", YES, "true"];
        let statuses = [201, 401, 403, 404, 500].map(|status| (status, ":-)".to_owned()));
        let mut no: Vec<_> = texts.map(|text| (200, text.to_owned())).into_iter().chain(statuses).collect();
        no.push((204, String::new()));
        takes(Settings::simplecheck(), &[(200, ":-)".to_owned())], &no);
    });
}
