//! The way for a second terminal into the world, which has a network of its own: connections to a loopback
//! port of the host are led to a socket file inside, and from there to sshd. Refuses other networks than
//! loopback, and is there only while a person watches.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    thread::spawn,
};

use mfa_tests::{ssh::PORT, world::PLACE};

const INNER_DOOR: &str = "door.sock";

/// Outside: leads each connection to the world whose outermost process is `outer`.
pub(crate) fn lead_in(door: &TcpListener, outer: u32) {
    for visitor in door.incoming() {
        let led = visitor.and_then(|visitor| {
            let first = first_process(outer).ok_or(io::ErrorKind::NotFound)?;
            // No file on the host: the path goes by the world's own root.
            let inner = UnixStream::connect(format!("/proc/{first}/root{PLACE}/{INNER_DOOR}"))?;
            pass_along(
                (visitor.try_clone()?, visitor, |tcp: &TcpStream| tcp.shutdown(Shutdown::Write)),
                (inner.try_clone()?, inner, |unix: &UnixStream| unix.shutdown(Shutdown::Write)),
            );
            Ok(())
        });
        if let Err(error) = led {
            eprintln!("demo: a connection could not be led to sshd: {error}");
        }
    }
}

/// Inside: leads each connection to sshd.
pub(crate) fn open_inside() {
    let door = UnixListener::bind(PathBuf::from(PLACE).join(INNER_DOOR)).expect("the world's /run is ours");
    spawn(move || {
        for visitor in door.incoming() {
            let led = visitor.and_then(|visitor| {
                let sshd = TcpStream::connect(("127.0.0.1", PORT))?;
                pass_along(
                    (visitor.try_clone()?, visitor, |unix: &UnixStream| unix.shutdown(Shutdown::Write)),
                    (sshd.try_clone()?, sshd, |tcp: &TcpStream| tcp.shutdown(Shutdown::Write)),
                );
                Ok(())
            });
            if let Err(error) = led {
                eprintln!("demo: sshd cannot be reached: {error}");
            }
        }
    });
}

/// One end of a connection: to read from, to write to, and how to say that nothing more will be written.
type End<S> = (S, S, fn(&S) -> io::Result<()>);

/// Copies both ways until both have ended.
fn pass_along<A, B>(a: End<A>, b: End<B>)
where
    A: Read + Write + Send + 'static,
    B: Read + Write + Send + 'static,
{
    let ((mut from_a, mut to_a, end_a), (mut from_b, mut to_b, end_b)) = (a, b);
    // Either end may be cut off at any time; then there is nobody to tell.
    spawn(move || {
        io::copy(&mut from_a, &mut to_b).ok();
        end_b(&to_b).ok();
    });
    spawn(move || {
        io::copy(&mut from_b, &mut to_a).ok();
        end_a(&to_a).ok();
    });
}

/// The first process of the world: the child of `outer`.
pub(crate) fn first_process(outer: u32) -> Option<u32> {
    let mut processes =
        fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    processes.find_map(|name| {
        let pid: u32 = name.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // "pid (name) state parent …", and the name may hold anything but is followed by the last ")".
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
        (parent == outer.to_string()).then_some(pid)
    })
}
