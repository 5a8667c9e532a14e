//! What can be configured: each setting is an option of the command line and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use crate::event_log::{
    EventLog, KurrentEventLog, KurrentUrl, OpenError, PostgresEventLog, PostgresUrl, SqliteEventLog,
};
use crate::limits::CLONE_BATCH_PAUSE_MAX;
use crate::workers::CloneRetries;

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct DataConfig {
    /// The directory of the data: the embedded store and the read models. Nodes that share a store have a directory each.
    #[arg(long, env = "OFFSHOOT_DATA_DIR", default_value = "./offshoot-data", global = true)]
    pub data_dir: PathBuf,

    /// The store of the event log: `sqlite:PATH`, or `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`, without a
    /// password, which is taken from the file that OFFSHOOT_STORE_PASSWORD_FILE names, or from PGPASSWORD or PGPASSFILE, or
    /// `esdb://USER@HOST:PORT?tls=true`, whose password is in that file or in OFFSHOOT_STORE_PASSWORD. PostgreSQL's
    /// sslmode=verify-ca looks at the server's name as well, as verify-full does. Without it, the SQLite file in the data
    /// directory.
    #[arg(long, env = "OFFSHOOT_STORE", hide_env_values = true, global = true)]
    pub store: Option<Store>,
}

impl DataConfig {
    /// Everything in one directory.
    #[must_use]
    pub fn in_directory(data_dir: PathBuf) -> Self {
        Self { data_dir, store: None }
    }

    /// The store: if none is chosen, a file in the data directory.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone().unwrap_or_else(|| Store::Sqlite(self.data_dir.join("events.sqlite")))
    }

    /// The directory of the read models.
    #[must_use]
    pub fn read_models(&self) -> PathBuf {
        self.data_dir.join("read-models")
    }
}

/// A store for the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The embedded store: a file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which other nodes may share.
    Postgres(PostgresUrl),
    /// A KurrentDB server or cluster, which other nodes may share.
    Kurrent(KurrentUrl),
}

impl Store {
    /// Opens the event log in it.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub async fn open(&self) -> Result<Arc<dyn EventLog>, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteEventLog::open(path)?),
            Self::Postgres(url) => Arc::new(PostgresEventLog::open(url).await?),
            Self::Kurrent(url) => Arc::new(KurrentEventLog::open(url).await?),
        })
    }
}

impl Store {
    /// Whether it may be on another machine, which may be away, and other nodes may use it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self, Self::Sqlite(_))
    }
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(url) = PostgresUrl::new(text) {
            return Ok(Self::Postgres(url));
        }
        if let Some(url) = KurrentUrl::new(text) {
            return Ok(Self::Kurrent(url));
        }
        match text.strip_prefix("sqlite:") {
            Some("") => Err("sqlite: needs a path, as in sqlite:./events.sqlite".to_owned()),
            Some(path) => Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))),
            None => Err("this version knows three stores, sqlite:PATH, postgres://… and esdb://…".to_owned()),
        }
    }
}

/// How the workers go about it.
#[derive(Clone, Debug, Default, Args)]
pub struct WorkerConfig {
    /// How long an asynchronous clone rests before each of its batches, as in `50ms` or `2s`; at most a minute. Not at all
    /// if not set. For a store that is busy with other things: a clone takes longer and leaves more to everybody else.
    #[arg(long, env = "OFFSHOOT_CLONE_BATCH_PAUSE", value_parser = clone_batch_pause)]
    pub clone_batch_pause: Option<Duration>,

    /// After how long a name counts as forgotten that was reserved for an environment which never appeared, as in `1m`: longer
    /// than any command takes. Without it a minute, or ten where nodes share a store, whose clocks may differ. What a server
    /// alone with its store finds from before its start is forgotten at once.
    #[arg(long, env = "OFFSHOOT_FORGOTTEN_NAME_AGE", value_parser = duration)]
    pub forgotten_name_age: Option<Duration>,

    /// How long a clone puts up with trouble.
    #[arg(skip)]
    pub clone_retries: CloneRetries,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "a time like this is not below zero".to_owned())
}

fn clone_batch_pause(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Err(error) => Err(error),
        Ok(pause) if pause <= CLONE_BATCH_PAUSE_MAX => Ok(pause),
        _ => Err(format!("a pause is 0 to {} seconds", CLONE_BATCH_PAUSE_MAX.as_secs())),
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

impl OnOff {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Who decides whether a request for an asynchronous clone is honoured.
#[derive(Clone, Debug, Default, Args)]
pub struct CloneSwitchConfig {
    /// The client key of the environment whose feature `clone_feature_states_async` decides for each organisation, as the
    /// identity with its UUID, whether a request for an asynchronous clone is honoured or the request waits for the copy.
    #[arg(long, env = "OFFSHOOT_CONTROL_ENVIRONMENT")]
    pub control_environment: Option<String>,

    /// Whether such requests are honoured where no feature decides.
    #[arg(long, env = "OFFSHOOT_ASYNC_CLONES", value_enum, default_value_t = OnOff::On)]
    pub async_clones: OnOff,
}

/// How the server runs.
#[derive(Clone, Debug, Args)]
pub struct ServerConfig {
    /// The address to listen on.
    #[arg(long, env = "OFFSHOOT_LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Where the data is.
    #[command(flatten)]
    pub data: DataConfig,

    /// How the workers go about it.
    #[command(flatten)]
    pub workers: WorkerConfig,

    /// Who decides whether a request for an asynchronous clone is honoured.
    #[command(flatten)]
    pub clone_switch: CloneSwitchConfig,

    /// The API key that an empty store is given at its first start: at least 20 characters. A random one is made, and
    /// printed once, if none is given.
    #[arg(long, env = "OFFSHOOT_ADMIN_KEY", hide_env_values = true)]
    pub admin_key: Option<AdminKey>,

    /// The secret that addresses of change streams and sessions of the console are signed with: at least 20 characters, the
    /// same on all nodes behind one address. Without it each start makes a new one for addresses, and clients fetch new ones;
    /// the one for sessions is kept in the data directory.
    #[arg(long, env = "OFFSHOOT_STREAM_TOKEN_SECRET", hide_env_values = true)]
    pub stream_token_secret: Option<AdminKey>,
}

/// Characters that an API key chosen by hand needs at least: keys are kept hashed for ever, and a short one could be found
/// by trying.
const ADMIN_KEY_CHARACTERS_MIN: usize = 20;

/// An API key chosen by hand.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminKey(pub String);

impl std::fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminKey(…)")
    }
}

impl FromStr for AdminKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.len() < ADMIN_KEY_CHARACTERS_MIN || text.len() > 200 || !is_plain {
            return Err(format!("a key is {ADMIN_KEY_CHARACTERS_MIN} to 200 visible ASCII characters without spaces"));
        }
        Ok(Self(text.to_owned()))
    }
}
