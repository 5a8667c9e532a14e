//! A group of appends that share one call, and with it one commit.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use offshoot_aggregates::{Position, Version};
use sqlx::PgConnection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::reader::integer;
use crate::event_log::{Append, AppendError, Appended, Fate, Ticket};
use crate::limits::{GROUP_COMMIT_APPENDS_MAX, GROUP_COMMIT_BYTES_MAX};

/// An append on its way, and who waits for it.
pub(super) struct Waiting {
    append: Append,
    metadata: String,
    /// Tells this append from every other: whatever the connection does, it can be found again by this.
    id: Uuid,
    bytes: usize,
    /// Whether it was decided on something that was not recorded, or not before its turn came.
    is_orphan: bool,
    answer: Option<oneshot::Sender<Result<Appended, AppendError>>>,
}

impl Waiting {
    pub(super) fn new(
        append: Append,
        answer: oneshot::Sender<Result<Appended, AppendError>>,
    ) -> Result<Self, AppendError> {
        if append.events.is_empty() {
            return Err(AppendError::Unavailable("an append needs at least one event".to_owned()));
        }
        // In the order of the keys: the same metadata always gives the same text.
        let sorted: BTreeMap<_, _> = append.metadata.iter().collect();
        let metadata = serde_json::to_string(&sorted).map_err(|error| AppendError::Unavailable(error.to_string()))?;
        let bytes = append.events.iter().map(|event| event.payload.len() + metadata.len()).sum();
        Ok(Self { append, metadata, id: Uuid::now_v7(), bytes, is_orphan: false, answer: Some(answer) })
    }

    pub(super) fn events(&self) -> u64 {
        self.append.events.len() as u64
    }

    /// Bytes of payload and metadata.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whoever asked may have gone; what was recorded stays.
    pub(super) fn answer(mut self, outcome: Result<Appended, AppendError>) {
        self.settle(if outcome.is_ok() { Fate::Recorded } else { Fate::Failed });
        let _ = self.answer.take().map(|answer| answer.send(outcome));
    }

    /// Says what has become of it.
    pub(super) fn settle(&self, fate: Fate) {
        self.append.ticket.set(fate);
    }

    /// The version of its stream once it is recorded.
    fn end(&self) -> Version {
        self.append.expected.plus(self.events())
    }
}

impl Drop for Waiting {
    /// Whatever the writer did not settle never will be recorded.
    fn drop(&mut self) {
        self.settle(Fate::Failed);
    }
}

/// Appends, no two of which are for the same command, and none for the same stream as another one but its follower.
#[derive(Default)]
pub(super) struct Group {
    waiting: Vec<Waiting>,
    streams: HashMap<String, Tail>,
    commands: HashSet<Uuid>,
    bytes: usize,
}

/// What may come next in a stream, within a group.
enum Tail {
    /// The follower of this append, which leaves the stream at this version.
    Follower(Ticket, Version),
    /// Nothing.
    Closed,
}

impl Tail {
    fn takes(&self, append: &Append) -> bool {
        let Self::Follower(last, version) = self else { return false };
        append.expected == *version && append.follows.as_ref().is_some_and(|follows| follows.is_of_same(last))
    }
}

/// What became of one append.
pub(super) type Outcome = Result<Appended, AppendError>;

impl Group {
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= GROUP_COMMIT_APPENDS_MAX || self.bytes >= GROUP_COMMIT_BYTES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes an append in, or gives it back if it has to wait for one of these.
    pub(super) fn add(&mut self, mut waiting: Waiting) -> Option<Waiting> {
        let is_same_command = waiting.append.command.is_some_and(|command| self.commands.contains(&command));
        let tail = Tail::Follower(waiting.append.ticket.clone(), waiting.end());
        match self.streams.entry(waiting.append.stream.to_string()) {
            Entry::Vacant(stream) if !is_same_command => {
                // Whoever came before this group is settled by now.
                let follows = waiting.append.follows.as_ref();
                waiting.is_orphan = follows.is_some_and(|before| before.fate() != Fate::Recorded);
                stream.insert(tail);
            }
            Entry::Occupied(mut stream) if !is_same_command && stream.get().takes(&waiting.append) => {
                stream.insert(tail);
            }
            stream => {
                // Nor may a later one for the same stream overtake it.
                let _ = stream.insert_entry(Tail::Closed);
                return Some(waiting);
            }
        }
        self.commands.extend(waiting.append.command);
        self.bytes += waiting.bytes;
        self.waiting.push(waiting);
        None
    }

    /// The same order of streams in every group, so that two nodes that record in the same streams never wait for each other in a
    /// circle. Followers stay behind those whom they follow.
    pub(super) fn sort(&mut self) {
        self.waiting.sort_by(|one, other| {
            let key = |waiting: &Waiting| (waiting.append.stream.category.as_str(), waiting.append.stream.key.clone());
            key(one).cmp(&key(other))
        });
    }

    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    pub(super) fn into_waiting(self) -> Vec<Waiting> {
        self.waiting
    }

    /// Records the group. What comes back as recorded is on disk, what does not is not there; after an error nothing is known
    /// but what the error says.
    pub(super) async fn record(&self, connection: &mut PgConnection, is_repeated: bool) -> sqlx::Result<Vec<Outcome>> {
        let each = |f: fn(&Waiting) -> String| self.waiting.iter().map(f).collect::<Vec<_>>();
        let events =
            || self.waiting.iter().zip(1_i32..).flat_map(|(one, n)| one.append.events.iter().map(move |e| (n, e)));
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT outcome, last_position, last_version FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(each(|one| one.append.stream.category.as_str().to_owned()))
        .bind(each(|one| one.append.stream.key.clone()))
        .bind(self.waiting.iter().map(|one| integer(one.append.expected.0)).collect::<Vec<_>>())
        .bind(self.waiting.iter().map(|one| one.is_orphan).collect::<Vec<_>>())
        .bind(self.waiting.iter().map(|one| one.id).collect::<Vec<_>>())
        .bind(self.waiting.iter().map(|one| one.append.command).collect::<Vec<_>>())
        .bind(self.waiting.iter().map(|one| one.metadata.as_str()).collect::<Vec<_>>())
        .bind(events().map(|(number, _)| number).collect::<Vec<_>>())
        .bind(events().map(|(_, event)| event.event_type).collect::<Vec<_>>())
        .bind(events().map(|(_, event)| event.event_version).collect::<Vec<_>>())
        .bind(events().map(|(_, event)| event.payload.as_str()).collect::<Vec<_>>())
        .bind(is_repeated)
        .fetch_all(connection)
        .await?;
        if rows.len() != self.waiting.len() {
            return Err(sqlx::Error::Protocol(format!("{} outcomes of {} appends", rows.len(), self.waiting.len())));
        }
        Ok(self.waiting.iter().zip(rows).map(|(one, row)| outcome(one, &row)).collect())
    }

    /// The positions of what was recorded, which follow one another.
    pub(super) fn positions(&self, outcomes: &[Outcome]) -> Option<(Position, Position)> {
        let recorded = self.waiting.iter().zip(outcomes);
        let recorded = recorded.filter_map(|(one, outcome)| {
            let last = outcome.as_ref().ok()?.position;
            Some((last.0.saturating_sub(one.events() - 1), last.0))
        });
        recorded
            .reduce(|(first, last), (next_first, next_last)| (first.min(next_first), last.max(next_last)))
            .map(|(first, last)| (Position(first), Position(last)))
    }
}

fn outcome(waiting: &Waiting, (outcome, position, version): &(String, i64, i64)) -> Outcome {
    let version = Version(version.unsigned_abs());
    let appended = Appended { position: Position(position.unsigned_abs()), version };
    match outcome.as_str() {
        "new" | "recorded" => Ok(appended),
        "already done" => Err(AppendError::AlreadyDone(appended)),
        "conflict" => Err(AppendError::Conflict { expected: waiting.append.expected, actual: version }),
        other => Err(AppendError::Unavailable(format!("PostgreSQL answered `{other}`"))),
    }
}
