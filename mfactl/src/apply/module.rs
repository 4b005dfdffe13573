//! The module's file: there, whole enough to be loaded by programs of this machine, root's.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::doctor::host::Host;
use crate::doctor::pam::{self, OURS};
use crate::failure::Failure;

/// Bytes of an ELF header that say for which machine it is, and what kind of file.
const HEADER: usize = 20;

/// Refuses a module that libpam would not find or not load: each login that reaches its line would be denied.
pub(crate) fn loadable(host: &Host) -> Result<(), Failure> {
    let hint = "install it: the package, or make install; mfactl doctor says more";
    let found = pam::module(host, OURS).map_err(|finding| {
        let place = finding.place.clone().unwrap_or_default();
        Failure::withheld(
            format!("{place}: {}", finding.what),
            finding.remedy.unwrap_or_else(|| hint.to_owned()),
        )
    })?;
    if !host.is_this() {
        return Ok(());
    }
    let path = found.strip_prefix("the module is ").unwrap_or(&found);
    let own = header(Path::new("/proc/self/exe"));
    let its = header(Path::new(path));
    // Class, byte order, and machine; 3 is a shared object.
    let same = own.is_some_and(|own| {
        its.is_some_and(|its| {
            own.get(..6) == its.get(..6) && own.get(18..) == its.get(18..) && its.get(16) == Some(&3)
        })
    });
    if same {
        return Ok(());
    }
    Err(Failure::withheld(format!("{path} is no module that programs of this machine can load"), hint))
}

fn header(path: &Path) -> Option<[u8; HEADER]> {
    let mut header = [0_u8; HEADER];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    Some(header)
}
