//! How the server is reached: addresses, TLS, who asks, and how much it takes at once.

use std::fmt;
use std::path::Path;

use eventstore::{ClientSettings, Credentials};
use percent_encoding::percent_decode_str;

use super::naming::Names;
use crate::event_log::password::{PASSWORD_FILE_VARIABLE, read_password};
use crate::limits::KURRENT_APPEND_BYTES;

/// Holds the password, if no file does.
pub const PASSWORD_VARIABLE: &str = "OFFSHOOT_STORE_PASSWORD";

/// The parameter, of ours, that says how many bytes the server takes in one append, if that is not its default.
const APPEND_BYTES: &str = "maxappendsize";

/// The parameter, of ours, that names the installation, so that several can share a database.
const INSTALLATION: &str = "installation";

/// The parameters that name files.
const FILES: [&str; 3] = ["tlscafile", "usercertfile", "userkeyfile"];

/// What an installation is called that nobody has named.
const DEFAULT_INSTALLATION: &str = "offshoot";

/// Where a KurrentDB (or EventStoreDB) server or cluster is, as an `esdb://` URL.
///
/// Whatever it holds, user and password are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KurrentUrl(String);

/// What a connection needs.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) settings: ClientSettings,
    pub(super) credentials: Option<Credentials>,
    /// Bytes that the server takes in one append.
    pub(super) append_bytes: usize,
    pub(super) names: Names,
}

/// The parts of a URL.
struct Parts<'u> {
    scheme: &'u str,
    user: Option<&'u str>,
    hosts: &'u str,
    query: &'u str,
}

impl KurrentUrl {
    /// A URL whose scheme is `esdb` or `esdb+discover`; what else is wrong with it shows when it is used.
    #[must_use]
    pub fn new(url: &str) -> Option<Self> {
        ["esdb://", "esdb+discover://"].iter().any(|scheme| url.starts_with(scheme)).then(|| Self(url.to_owned()))
    }

    /// What a connection needs. The password comes from the file that `OFFSHOOT_STORE_PASSWORD_FILE` names, from
    /// `OFFSHOOT_STORE_PASSWORD`, or from the URL.
    pub(super) fn place(&self) -> Result<Place, String> {
        let parts = self.parts();
        let parameters: Vec<(String, String)> = form_urlencoded::parse(parts.query.as_bytes()).into_owned().collect();
        let parameter = |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let is_encrypted = match parameter("tls").map(|(_, value)| value.as_str()) {
            Some("true") => true,
            Some("false") => false,
            _ => return Err("its URL does not say whether to use TLS: add ?tls=true or ?tls=false".to_owned()),
        };
        let append_bytes = match parameter(APPEND_BYTES) {
            Some((_, value)) => value.parse().map_err(|_| "its maxAppendSize is not a number of bytes".to_owned())?,
            None => KURRENT_APPEND_BYTES,
        };
        let installation = parameter(INSTALLATION).map_or(DEFAULT_INSTALLATION, |(_, name)| name);
        let names = Names::of(installation).ok_or("the installation in its URL is named by letters and digits only")?;
        for (key, file) in FILES.iter().filter_map(|name| parameter(name)) {
            // The client does not survive one that it cannot read.
            std::fs::File::open(file).map_err(|error| format!("its {key} {file} cannot be read: {error}"))?;
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        let ours = [APPEND_BYTES, INSTALLATION, "nodepreference"];
        let passed_on = |(key, _): &&(String, String)| !ours.iter().any(|name| key.eq_ignore_ascii_case(name));
        query.extend_pairs(parameters.iter().filter(passed_on));
        // What was acknowledged must be there for whoever reads next.
        query.append_pair("nodePreference", "leader");
        if !is_encrypted && parameter("tlscafile").is_none() {
            // The client reads the certificates of the system also where it needs none, and gives up if it cannot.
            query.append_pair("tlsCaFile", "/dev/null");
        }
        let url = format!("{}://{}?{}", parts.scheme, parts.hosts, query.finish());
        let settings = url.parse::<ClientSettings>();
        let settings = settings.map_err(|error| format!("its URL is not one: {}", error.message()))?;
        let environment = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let password = match environment(PASSWORD_FILE_VARIABLE) {
            Some(path) => Some(read_password(Path::new(&path))?),
            None => environment(PASSWORD_VARIABLE),
        };
        let credentials = parts.user.map(|user| credentials(user, password)).transpose()?;
        Ok(Place { settings, credentials, append_bytes, names })
    }

    fn parts(&self) -> Parts<'_> {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Parts { scheme, user, hosts: hosts.trim_end_matches('/'), query }
    }
}

fn credentials(user: &str, password: Option<String>) -> Result<Credentials, String> {
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| "the user or the password in its URL is not UTF-8".to_owned())
    };
    let (user, in_url) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
    let password = match (password, in_url) {
        (Some(password), _) => password,
        (None, Some(password)) => decoded(password)?,
        (None, None) => {
            return Err(format!(
                "its URL names a user, but there is no password: set {PASSWORD_FILE_VARIABLE} or {PASSWORD_VARIABLE}"
            ));
        }
    };
    Ok(Credentials::new(decoded(user)?, password))
}

impl fmt::Debug for KurrentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hosts and ports: enough to know which one it is.
impl fmt::Display for KurrentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        write!(f, "{}://{}", parts.scheme, parts.hosts)
    }
}

#[cfg(test)]
mod tests {
    use super::KurrentUrl;
    use crate::limits::KURRENT_APPEND_BYTES;

    fn url(text: &str) -> KurrentUrl {
        KurrentUrl::new(text).unwrap()
    }

    #[test]
    fn a_url_is_shown_without_its_user_and_never_with_a_password() {
        let url = url("esdb://flags:s%40cret@a.example:2113,b.example:2113/?tls=true&userKeyFile=x");
        assert_eq!(format!("{url} {url:?}"), ["esdb://a.example:2113,b.example:2113"; 2].join(" "));
        let refusal = url.place().err().unwrap();
        assert!(!refusal.contains("cret"), "{refusal}");
    }

    #[test]
    fn a_url_says_whether_to_use_tls() {
        assert!(KurrentUrl::new("postgres://h/d").is_none());
        for silent in ["esdb://h:2113", "esdb://h:2113?tls=perhaps", "esdb+discover://h?tlsVerifyCert=false"] {
            assert!(url(silent).place().err().unwrap().contains("TLS"), "{silent}");
        }
        let place = url("esdb://h?TLS=true").place().unwrap();
        assert!(place.settings.is_secure_mode_enabled() && place.settings.tls_ca_file().is_none());
        assert!(!url("esdb://h:1,i:2?tls=false").place().unwrap().settings.is_secure_mode_enabled());
    }

    #[test]
    fn a_url_may_say_how_much_the_server_takes_at_once() {
        assert_eq!(url("esdb://h?tls=false").place().unwrap().append_bytes, KURRENT_APPEND_BYTES);
        assert_eq!(url("esdb://h?tls=false&maxAppendSize=5000").place().unwrap().append_bytes, 5_000);
        assert!(url("esdb://h?tls=false&maxAppendSize=much").place().is_err());
    }

    #[test]
    fn several_installations_share_a_database_if_each_has_a_name() {
        let stream = offshoot_aggregates::StreamId::id_allocator();
        let name =
            |query: &str| url(&format!("esdb://h?tls=false{query}")).place().map(|place| place.names.stream(&stream));
        assert_eq!(name("").unwrap(), "offshoot_id_allocator-1");
        assert_eq!(name("&installation=blue2").unwrap(), "blue2_id_allocator-1");
        assert!(name("&installation=blue_2").is_err() && name("&installation=").is_err());
    }

    #[test]
    fn user_and_password_are_decoded_and_one_without_the_other_is_refused() {
        let place = url("esdb://us%65r:p%3A%2B+%C3%A4@h?tls=false").place().unwrap();
        assert_eq!(place.credentials, Some(eventstore::Credentials::new("user", "p:++ä")));
        assert_eq!(url("esdb://h?tls=false").place().unwrap().credentials, None);
        assert!(url("esdb://user@h?tls=false").place().err().unwrap().contains("password"));
    }
}
