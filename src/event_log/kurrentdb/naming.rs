//! What things are called in the database, which others may use as well, other installations of Offshoot included.

use eventstore::SubscriptionFilter;
use offshoot_aggregates::StreamId;
use uuid::Uuid;

/// The names of an installation's streams.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// In front of the names of the log's streams: all that the log holds, and nothing else, begins like this.
    log: String,
    /// The stream of marks: which moment is where in the log.
    pub(super) timeline: String,
    command: String,
    claim: String,
}

impl Names {
    /// The names of the installation that is called like this; `None` if it is not called by letters and digits only.
    pub(super) fn of(installation: &str) -> Option<Self> {
        let is_plain = !installation.is_empty() && installation.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then(|| Self {
            log: format!("{installation}_"),
            timeline: format!("{installation}-timeline"),
            command: format!("{installation}-command-"),
            claim: format!("{installation}-claim-"),
        })
    }

    /// The name of a stream of the log.
    pub(super) fn stream(&self, stream: &StreamId) -> String {
        format!("{}{stream}", self.log)
    }

    /// Whether a stream is one of the log's.
    pub(super) fn is_log(&self, name: &str) -> bool {
        name.starts_with(&self.log)
    }

    /// The stream of the log that has this name.
    pub(super) fn parse_stream(&self, name: &str) -> Result<StreamId, String> {
        let name = name.strip_prefix(&self.log).ok_or("it is not in a stream of the log")?;
        name.parse::<StreamId>().map_err(|error| error.to_string())
    }

    /// The stream that says where a command was sent.
    pub(super) fn command(&self, command: Uuid) -> String {
        format!("{}{command}", self.command)
    }

    /// The command whose stream has this name.
    pub(super) fn parse_command(&self, name: &str) -> Option<Uuid> {
        name.strip_prefix(&self.command)?.parse().ok()
    }

    /// The stream in which nodes claim a piece of work.
    pub(super) fn claim(&self, work: Uuid) -> String {
        format!("{}{work}", self.claim)
    }

    /// What the server is to tell a subscriber: the log's events.
    pub(super) fn log_filter(&self) -> SubscriptionFilter {
        SubscriptionFilter::on_stream_name().add_prefix(&self.log)
    }
}
