//! `OpenLDAP`'s server for one test: a process with a database of its own, on loopback and a Unix socket.
use std::{
    fs,
    net::TcpListener,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// The password of everybody but the account that looks people up: of `cn=root,dc=example,dc=org` as well, which may
/// everything.
pub const SLAPD_PASSWORD: &str = "marker-password-5d1c";

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Slapd {
    child: Child,
    directory: tempfile::TempDir,
    /// Its port without TLS.
    pub port: u16,
    /// Its port with TLS.
    pub tls_port: u16,
}

/// As it is installed.
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/ldap/mfad.schema");
const DOCUMENT: &str = include_str!("../../../docs/ldap.md");

impl Slapd {
    /// Starts one, where the account that looks people up has `password`, and waits until it answers. With certificate
    /// and key it offers TLS.
    pub fn start(password: &str, identity: Option<&(PathBuf, PathBuf)>) -> Self {
        Self::start_with(password, identity, "")
    }

    /// As [`Self::start`], with more people ([`Self::person`]).
    pub fn start_with(password: &str, identity: Option<&(PathBuf, PathBuf)>, more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        fs::create_dir(place.join("db")).unwrap();
        fs::write(place.join("slapd.conf"), conf(place, identity)).unwrap();
        fs::write(place.join("people.ldif"), people(password) + more).unwrap();
        let mut add = tool("slapadd", place);
        let added = add.arg("-l").arg(place.join("people.ldif")).output();
        let added = added.expect("slapadd starts: is slapd installed? tests/setup/packages.sh test");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let [port, tls_port] = free_ports();
        let socket = place.join("ldapi").display().to_string().replace('/', "%2F");
        let ldaps = if identity.is_some() { format!(" ldaps://127.0.0.1:{tls_port}") } else { String::new() };
        let urls = format!("ldapi://{socket} ldap://127.0.0.1:{port}{ldaps}");
        let mut command = tool("slapd", place);
        command.args(["-d", "0", "-h", &urls]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut slapd = Self { child, directory, port, tls_port };
        let begun = Instant::now();
        while UnixStream::connect(slapd.socket()).is_err() {
            assert!(slapd.child.try_wait().unwrap().is_none(), "slapd ended at once");
            assert!(begun.elapsed() < Duration::from_secs(60), "slapd never answers");
            std::thread::yield_now();
        }
        slapd
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("ldapi")
    }

    /// An entry below `ou=people` with these lines of LDIF more. It may have `mfadTotpSecret`.
    pub fn person(uid: &str, lines: &str) -> String {
        entry("people", uid, &format!("objectClass: mfadUser\n{lines}"))
    }

    /// Changes entries, by LDIF, as the account that may everything.
    pub fn change(&self, ldif: &str) {
        let done = self.change_as("cn=root,dc=example,dc=org", ldif);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Changes entries, by LDIF, as an entry with the password of everybody.
    pub fn change_as(&self, dn: &str, ldif: &str) -> Output {
        let file = self.directory.path().join("change.ldif");
        fs::write(&file, ldif).unwrap();
        self.client("ldapmodify", Some((dn, SLAPD_PASSWORD))).arg("-f").arg(file).output().unwrap()
    }

    /// What is found with `filter` by who has a name and a password, or by nobody: LDIF.
    pub fn search_as(&self, who: Option<(&str, &str)>, filter: &str) -> String {
        let mut search = self.client("ldapsearch", who);
        let found = search.args(["-LLL", "-o", "ldif-wrap=no", "-b", "ou=people,dc=example,dc=org", filter]);
        let found = found.output().expect("ldapsearch starts: tests/setup/packages.sh test");
        String::from_utf8(found.stdout).unwrap()
    }

    fn client(&self, tool: &str, who: Option<(&str, &str)>) -> Command {
        let mut command = Command::new(tool);
        command.args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port)]);
        command.args(who.map(|(dn, password)| ["-D", dn, "-w", password]).into_iter().flatten());
        command
    }

    /// Whether it calls a bind with a name and without a password a success, as RFC 4513 5.1.2 lets it.
    pub fn takes_empty_passwords(&self) -> bool {
        let url = format!("ldap://127.0.0.1:{}", self.port);
        let name = "uid=jane,ou=people,dc=example,dc=org";
        // An empty password on the command line is one; ldapwhoami would refuse to send it without `-w`.
        let said =
            Command::new("python3").args(["-c", EMPTY_BIND, &self.port.to_string(), name]).output().unwrap();
        assert!(said.status.success(), "{url}: {}", String::from_utf8_lossy(&said.stderr));
        said.stdout == b"0\n"
    }
}

/// A bind with a name and an empty password, byte by byte; prints the result code.
const EMPTY_BIND: &str = r#"
import socket, sys
dn = sys.argv[2].encode()
op = b"\x02\x01\x03\x04" + bytes([len(dn)]) + dn + b"\x80\x00"
message = b"\x02\x01\x01\x60" + bytes([len(op)]) + op
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"\x30" + bytes([len(message)]) + message)
print(s.recv(100)[9])
"#;

impl Drop for Slapd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn tool(name: &str, place: &Path) -> Command {
    let mut command = Command::new(Path::new("/usr/sbin").join(name));
    command.arg("-f").arg(place.join("slapd.conf"));
    command
}

/// Ports that nothing has right now.
fn free_ports() -> [u16; 2] {
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().port())
}

fn conf(place: &Path, identity: Option<&(PathBuf, PathBuf)>) -> String {
    let place = place.display();
    let tls = identity.map_or_else(String::new, |(certificate, key)| {
        format!("TLSCertificateFile {}\nTLSCertificateKeyFile {}\n", certificate.display(), key.display())
    });
    format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\ninclude {SCHEMA}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload ppolicy\n\
         pidfile {place}/pid\nallow bind_anon_cred bind_anon_dn\n{tls}\
         database mdb\nmaxsize 10485760\nsuffix \"dc=example,dc=org\"\ndirectory {place}/db\n\
         rootdn \"cn=root,dc=example,dc=org\"\nrootpw {SLAPD_PASSWORD}\n\
         access to attrs=userPassword by anonymous auth by * none\n{}access to * by users read by * none\noverlay ppolicy\nppolicy_default cn=policy,dc=example,dc=org\n",
        documented_access()
    )
}

/// The access to addresses and sealed secrets that docs/ldap.md tells admins to allow.
fn documented_access() -> &'static str {
    let block = |block: &&str| block.trim_start().starts_with("access to attrs=mfadTotpSecret");
    DOCUMENT.split("```").find(block).expect("docs/ldap.md has access lists")
}

fn entry(unit: &str, uid: &str, more: &str) -> String {
    let dn = uid.replace('*', "\\2a");
    format!(
        "dn: uid={dn},ou={unit},dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n{more}\n\n"
    )
}

fn people(lookup: &str) -> String {
    let password = format!("userPassword: {SLAPD_PASSWORD}");
    let unit = |unit: &str| {
        let name = unit.split(',').next().unwrap();
        format!("dn: ou={unit},dc=example,dc=org\nobjectClass: organizationalUnit\nou: {name}\n\n")
    };
    [
        "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n\n".to_owned(),
        format!(
            "dn: cn=mfad,dc=example,dc=org\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: mfad\nuserPassword: {lookup}\n\n"
        ),
        "dn: cn=policy,dc=example,dc=org\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\npwdMustChange: TRUE\n\n".to_owned(),
        unit("people"),
        unit("more,ou=people"),
        unit("others"),
        "dn: ou=elsewhere,dc=example,dc=org\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://127.0.0.1:9/ou=people,dc=example,dc=org\n\n".to_owned(),
        entry("people", "jane", &password),
        entry("people", "admin", &password),
        entry("people", "star*(x)", &password),
        entry("people", "starry(x)x", &password),
        entry("people", "twin", &password),
        entry("more,ou=people", "twin", &password),
        entry("people", "alias", &format!("uid: aliased\n{password}")),
        entry("people", "reset", &format!("{password}\npwdReset: TRUE")),
        entry("people", "bare", "description: no password"),
        entry("others", "outsider", &password),
    ]
    .concat()
}
