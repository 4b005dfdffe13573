//! Sockets in places, and peers of users, that are not to be trusted. Where another user is needed, the
//! tests need root.

use std::{
    ffi::OsStr,
    fs,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{chown, symlink},
            net::UnixListener,
        },
    },
    path::Path,
    process::Command,
};

use mfa_proto::hello::Welcome;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, socket};

use crate::rig::{
    Daemon, Login, Place, Report, SERVICE_ERR, SETTLED_ACCEPT, SUCCESS, driver, frame, is_root, module,
    set_mode, welcome,
};

/// Some other user; no account needs to exist.
const OTHER: u32 = 54_321;

fn login_at(socket: &Path, place: &Place) -> Report {
    Login::new().at(socket).argument("unavailable=ignore").run(place)
}

fn assert_refused(socket: &Path, place: &Place, why: &str) {
    let report = login_at(socket, place);
    assert_eq!(report.authenticated(), SERVICE_ERR, "{report:?}");
    assert!(report.log().contains(why), "{report:?}");
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    for mode in [0o775, 0o757, 0o777, 0o1777] {
        let place = Place::new();
        let socket = place.socket();
        set_mode(socket.parent().unwrap(), mode);
        // Nothing connects: it is refused for its place alone.
        drop(UnixListener::bind(&socket).unwrap());
        assert_refused(&socket, &place, "is not to be trusted");
    }
}

#[test]
fn a_directory_above_that_others_can_write_to_is_refused() {
    let place = Place::new();
    let inner = place.directory("outer/inner");
    set_mode(inner.parent().unwrap(), 0o777);
    assert_refused(&inner.join("mfad.sock"), &place, "others than its owner can write to it");
}

#[test]
fn symbolic_links_are_refused() {
    let place = Place::new();
    let socket = place.socket();
    let daemon = UnixListener::bind(&socket).unwrap();
    symlink("run", place.path().join("link")).unwrap();
    assert_refused(&place.path().join("link/mfad.sock"), &place, "symbolic links are refused");
    symlink("mfad.sock", place.path().join("run/link.sock")).unwrap();
    assert_refused(&place.path().join("run/link.sock"), &place, "is not a socket");
    drop(daemon);
}

#[test]
fn what_is_no_socket_is_refused() {
    let place = Place::new();
    fs::write(place.socket(), "").unwrap();
    assert_refused(&place.socket(), &place, "is not a socket");
}

#[test]
fn a_directory_of_another_user_in_a_shared_one_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    // As if the other user had made it in /tmp.
    chown(place.path(), Some(OTHER), None).unwrap();
    let socket = place.socket();
    chown(socket.parent().unwrap(), Some(OTHER), None).unwrap();
    assert_refused(&socket, &place, "belongs to another user, in a directory where everyone can make one");
}

#[test]
fn a_directory_of_another_user_above_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let inner = place.directory("outer/inner");
    chown(inner.parent().unwrap(), Some(OTHER), None).unwrap();
    assert_refused(&inner.join("mfad.sock"), &place, "belongs neither to root nor to the owner");
}

/// A listener that another user has opened: the kernel names whoever called listen(2).
fn opened_by_another(path: &Path) -> UnixListener {
    let made = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(made.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
    let opened = Command::new("setpriv")
        .args([format!("--reuid={OTHER}"), format!("--regid={OTHER}"), "--clear-groups".to_owned()])
        .args(["perl", "-e", "listen(STDIN, 8) || die $!"])
        .stdin(made.try_clone().unwrap())
        .status();
    assert!(opened.unwrap().success());
    made.into()
}

#[test]
fn a_peer_that_is_neither_root_nor_the_keeper_is_told_nothing() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let socket = place.socket();
    let impostor = Daemon::behind(opened_by_another(&socket), 1, |mut peer| {
        peer.tries(&[welcome(Welcome::Version(1)), frame(&SETTLED_ACCEPT)].concat());
        peer.hears_the_end();
    });
    assert_refused(&socket, &place, "neither root nor 0");
    impostor.done();
}

#[test]
fn the_keeper_of_the_directory_is_trusted() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let socket = place.socket();
    chown(socket.parent().unwrap(), Some(OTHER), None).unwrap();
    let daemon = Daemon::behind(opened_by_another(&socket), 1, |mut peer| {
        peer.greeted();
        peer.says(&SETTLED_ACCEPT);
    });
    assert_eq!(login_at(&socket, &place).authenticated(), SUCCESS);
    daemon.done();
}

#[test]
fn a_program_without_root_finds_the_socket_for_everybody() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let run = place.directory("run");
    let built = place.directory("built");
    for file in [driver(), module()] {
        fs::copy(file, built.join(file.file_name().unwrap())).unwrap();
    }
    let for_root = Daemon::at(&run.join("mfad.sock"), |mut peer| {
        peer.greeted();
        peer.says(&SETTLED_ACCEPT);
    });
    set_mode(&run.join("mfad.sock"), 0o600);
    let for_all = Daemon::at(&run.join("user.sock"), |mut peer| {
        peer.greeted();
        peer.says(&SETTLED_ACCEPT);
    });
    set_mode(&run.join("user.sock"), 0o666);

    let login = || Login::new().alone().through(&built.join(module().file_name().unwrap()));
    let private_run = "mount -t tmpfs -o mode=755 none /run && mkdir /run/mfad && \
        mount --bind \"$0\" /run/mfad && ";
    let ran_by = |last: &str| {
        let script = format!("{private_run}exec {last} \"$@\"");
        let wrapper = ["unshare", "--mount", "sh", "-c", &script].map(OsStr::new);
        let wrapper = [wrapper.as_slice(), &[run.as_os_str()]].concat();
        login().by(&wrapper).run(&place)
    };
    assert_eq!(ran_by("").authenticated(), SUCCESS);
    for_root.done();
    let other = format!("setpriv --reuid={OTHER} --regid={OTHER} --clear-groups");
    // The report of root's run would be in the way.
    fs::remove_dir_all(place.path().join("report")).unwrap();
    assert_eq!(ran_by(&other).authenticated(), SUCCESS);
    for_all.done();
}
