//! The way to a server that is to be trusted before it is told anything: TLS with a certificate of one's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::postgres::PASSWORD;
use crate::support::postgres_server::OwnServer;
use crate::support::process::{Ended, ServerProcess, offshoot};
use crate::support::store::share;

/// The user of these tests, who must come by TLS and with a password.
const USER: &str = "by_tls";

/// An authority, and what it vouches for: a server called `localhost`, and nothing by its address.
struct Authority {
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self { directory: tempfile::tempdir().unwrap() };
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt",
        );
        authority
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(self.directory.path()).output();
        let output = output.expect("openssl is installed");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    /// Puts a key and a certificate for `localhost` into a server's directory. The settings by which it uses them.
    fn prepare(&self, data: &Path) -> Vec<String> {
        std::fs::write(self.directory.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
        self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        self.openssl(
            "x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out server.crt",
        );
        for file in ["server.key", "server.crt"] {
            std::fs::copy(self.directory.path().join(file), data.join(file)).unwrap();
        }
        vec!["ssl=on".to_owned()]
    }
}

/// How a node that is started on a store ends, and whether it served before.
fn start(url: &str, password: &Path) -> (bool, Ended) {
    let data = tempfile::tempdir().unwrap();
    share(data.path(), url);
    let mut command = offshoot();
    command.env("OFFSHOOT_LOG", "trace").env_remove("PGPASSWORD").env("OFFSHOOT_STORE_PASSWORD_FILE", password);
    let server = ServerProcess::spawn_with(command, data.path(), None);
    let serves = server.address().is_some();
    (serves, if serves { server.terminate() } else { server.wait() })
}

#[test]
fn a_server_is_reached_by_tls_as_strictly_as_is_asked_for_and_the_password_is_never_said() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let hba = format!("hostssl all {USER} 127.0.0.1/32 scram-sha-256\nhost all {USER} 127.0.0.1/32 reject");
    let server = OwnServer::start_with(&hba, |data| authority.prepare(data));
    server.sql(&format!("CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    let password = authority.directory.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();

    let (ours, others) = (authority.certificate(), stranger.certificate());
    let (ours, others) = (format!("&sslrootcert={}", ours.display()), format!("&sslrootcert={}", others.display()));
    for (host, mode, trusts, is_reached) in [
        // The server takes nobody without TLS.
        ("localhost", "disable", "", false),
        // Whoever only wants to be encrypted asks for no name.
        ("localhost", "require", "", true),
        ("127.0.0.1", "require", "", true),
        ("localhost", "verify-full", ours.as_str(), true),
        ("localhost", "verify-ca", ours.as_str(), true),
        // The certificate does not say that the server has this address; that is looked at also where it need not be.
        ("127.0.0.1", "verify-full", ours.as_str(), false),
        ("127.0.0.1", "verify-ca", ours.as_str(), false),
        // Somebody else vouches for it, or nobody that the system knows.
        ("localhost", "verify-full", others.as_str(), false),
        ("localhost", "verify-ca", others.as_str(), false),
        ("localhost", "verify-full", "", false),
    ] {
        let url = format!("postgres://{USER}@{host}:{}/postgres?sslmode={mode}{trusts}", server.port());
        let (serves, ended) = start(&url, &password);
        assert_eq!(serves, is_reached, "{url}: {ended:?}");
        assert_eq!(ended.status.success(), is_reached, "{url}: {ended:?}");
        assert!(!ended.stderr.contains(PASSWORD), "{url}: {ended:?}");
    }
}
