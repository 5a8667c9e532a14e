//! The limits of the running program, each with its unit and the reason for the figure. What people may enter is limited
//! in [`offshoot_aggregates::limits`].

use std::time::Duration;

/// Events in a page read from the log: enough that the cost of a query does not show.
pub const PAGE_EVENTS_MAX: usize = 1_000;

/// Bytes of payload in a page read from the log: bounds the memory of each reader.
pub const PAGE_BYTES_MAX: usize = 8 << 20;

/// Appends that share one commit, and with it one wait for the disk.
pub const GROUP_COMMIT_APPENDS_MAX: usize = 256;

/// Bytes of payload that share one commit: a group must not grow the write-ahead log without end.
pub const GROUP_COMMIT_BYTES_MAX: usize = 16 << 20;

/// How long the writer lets those whose last appends came together come together again: well below a wait for the disk,
/// which each of them is spared.
pub const GROUP_COMMIT_GATHERING_MAX: Duration = Duration::from_micros(100);

/// Appends that may wait for the writer; more wait for their turn to wait.
pub const APPEND_QUEUE_MAX: usize = 1_024;

/// Pages (of 4 KiB) by which the write-ahead log grows before they are moved into the SQLite file: enough that a page which
/// changes often is moved once, few enough that a start after a crash reads them in no time.
pub const WAL_PAGES_BEFORE_CHECKPOINT: i64 = 4_096;

/// Pages of the write-ahead log from which on moving them waits for readers, so that it can start from its beginning again.
pub const WAL_PAGES_BEFORE_WAITING: i64 = 65_536;

/// How long it waits for them: longer than a page takes to read, short enough for those whose appends wait behind it.
pub const CHECKPOINT_WAIT: Duration = Duration::from_millis(100);

/// Connections that read a SQLite file at the same time; two cores keep no more busy.
pub const READ_CONNECTIONS_MAX: usize = 4;

/// Connections of a node that read the log in PostgreSQL at the same time; besides them it has one that writes, one that asks
/// whether streams have gone on, one that listens and one that holds its claims. Ten nodes fit into the 100 that a server allows by default.
pub const STORE_CONNECTIONS_MAX: u32 = 5;

/// How long to wait for a connection to PostgreSQL: a server that is there answers in milliseconds, and people wait meanwhile.
pub const STORE_CONNECT_WAIT: Duration = Duration::from_secs(3);

/// How long PostgreSQL may work on one statement: a page of the log takes milliseconds, a group of the biggest appends a second.
pub const STORE_STATEMENT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long an answer to a question to PostgreSQL may take, until the connection counts as broken: longer than a statement may.
pub const STORE_READ_WAIT: Duration = Duration::from_secs(10);

/// The same for a group of appends.
pub const STORE_APPEND_WAIT: Duration = Duration::from_secs(10);

/// How long, after a connection broke, to try to find out whether a group of appends was recorded, before its senders are told
/// that it is not known: a server that restarts is back in seconds, and nobody waits for an answer much longer.
pub const STORE_SETTLE_WAIT: Duration = Duration::from_secs(10);

/// For how long what others have recorded waits behind an append of this node: many times what one takes.
pub const STORE_OWN_APPEND_WAIT: Duration = Duration::from_millis(500);

/// How long to wait for appends of other nodes that are being recorded: as long as they may take.
pub const STORE_IN_FLIGHT_WAIT: Duration = STORE_APPEND_WAIT;

/// The first and the longest pause before a store that is away is tried again.
pub const STORE_BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How often to look for events of other nodes: at first after there were some, and at least.
pub const STORE_POLL: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How long a node waits after it told others of new events, before it tells them again: each time wakes them all.
pub const STORE_NOTIFY_INTERVAL: Duration = Duration::from_millis(10);

/// How often a session that holds claims is looked after when it has nothing to do: within it others take over the work of a node
/// that lost its session without noticing. A connection that was idle for longer is tried before it is used.
pub const STORE_SESSION_CHECK: Duration = Duration::from_secs(1);

/// Bytes that KurrentDB takes in one append by default. Its limit cannot be asked for, so it is said in the URL if it is another.
pub const KURRENT_APPEND_BYTES: usize = 1 << 20;

/// Events of the log in KurrentDB between two marks, by which a moment is found: as many as one page reads.
pub const KURRENT_MARK_EVENTS: usize = 1_000;

/// The same in bytes of payload.
pub const KURRENT_MARK_BYTES: usize = 4 << 20;

/// How often the connections to KurrentDB are looked after that nothing has happened to.
pub const KURRENT_CONNECTION_CHECK: Duration = Duration::from_secs(60);

/// How long a claim in KurrentDB lasts of which nothing more is heard: each is renewed every second.
pub const KURRENT_CLAIM_LIFE: Duration = Duration::from_secs(4);

/// How often a node looks whether a clone that another node copies is still being copied: a dead node's clones are taken over
/// within a few seconds.
pub const CLAIM_RETRY: Duration = Duration::from_secs(1);

/// How often a clone looks whether its project is still there, while it copies: often enough that little is copied for nobody.
pub const CLONE_PROJECT_CHECK: Duration = Duration::from_millis(200);

/// How long a node leaves a clone to others that share the store, for each clone that it has already: longer than it takes to hear
/// of one.
pub const CLONE_HANDOVER: Duration = Duration::from_millis(30);

/// The most of that.
pub const CLONE_HANDOVER_MAX: Duration = Duration::from_millis(300);

/// Bytes of recent events that readers share without asking the store; what was read of them takes as much again. Many times
/// what comes during one transaction of a read model.
pub const FEED_BYTES_MAX: usize = 8 << 20;

/// Recent events that readers share without asking the store.
pub const FEED_EVENTS_MAX: usize = 16_384;

/// How often a reader looks for events that no hint told it of.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How often a read model is written while events keep coming and nobody waits to see them: often enough that people see no
/// delay, seldom enough that the cost of a transaction does not show.
pub const PROJECTION_INTERVAL: Duration = Duration::from_millis(20);

/// It is written earlier if so many bytes have come meanwhile: a few batches of a clone, beside which a transaction costs little.
pub const PROJECTION_GATHERED_BYTES: u64 = 256 << 10;

/// Bytes of aggregates kept in memory (as their events weigh; see `commands/aggregate_store.rs`).
pub const AGGREGATE_CACHE_BYTES_MAX: u64 = 512 << 20;

/// How often a command is decided anew after someone else was faster, before it is given up with 503.
pub const CONFLICT_RETRIES_MAX: usize = 16;

/// How long an answer waits for the read models to show what its command did.
pub const READ_YOUR_WRITES_WAIT: Duration = Duration::from_secs(5);

/// States in one batch of a clone or an import, and features in one of an import: below it the cost is waiting for the disk,
/// above it little is gained.
pub const CLONE_BATCH_SIZE: u32 = 500;

/// Bytes of an append that are not a batch's states: what stands around them and beside them, with room to spare.
pub const CLONE_BATCH_ENVELOPE_BYTES: usize = 8 << 10;

/// States that a synchronous clone may have: all of it is one append, and the caller waits.
pub const SYNC_CLONE_FEATURE_STATES_MAX: u64 = 50_000;

/// How long the copying of a clone lets the answer to its request go first: many times what the answer takes.
pub const CLONE_START_WAIT: Duration = Duration::from_millis(100);

/// Clones that a node works on at the same time; further ones wait.
pub const CLONES_RUNNING_MAX: usize = 64;

/// Batches that the clones of a node append at the same time; more would only wait for the same disk.
pub const CLONE_BATCHES_IN_FLIGHT_MAX: usize = 2;

/// The longest pause before each batch of a clone that can be asked for: one that rests longer looks as if it were stuck.
pub const CLONE_BATCH_PAUSE_MAX: Duration = Duration::from_secs(60);

/// How often a batch is tried that fails for another reason than a store that is away, before the attempt is given up as
/// failed: time seldom helps.
pub const CLONE_ATTEMPTS_MAX: usize = 8;

/// How long a clone waits for a store that is away, before the attempt is given up as failed: longer than a store takes to
/// start again or to change over to another machine.
pub const CLONE_STORE_AWAY_MAX: Duration = Duration::from_secs(60);

/// The first pause before a batch is tried again; each further one is twice as long, with jitter.
pub const CLONE_BACKOFF_MIN: Duration = Duration::from_millis(20);

/// The longest pause before a batch is tried again, without jitter: so soon after the store is back the copying goes on.
pub const CLONE_BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Projects and environments that an API key is given permissions in as it is issued: each is a command of its own, and
/// the caller waits for all of them.
pub const API_KEY_GRANTS_MAX: usize = 1_000;

/// Bytes in a request's body.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// Characters in what the audit log is searched for (Flagsmith's limit).
pub const AUDIT_SEARCH_CHARACTERS_MAX: usize = 256;

/// Items on a page, and the default (Flagsmith's).
pub const PAGE_SIZE_MAX: u64 = 999;

/// How often an open stream of server-sent events is kept alive with a comment.
pub const SSE_HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a stopping server waits for requests in hand.
pub const SHUTDOWN_WAIT: Duration = Duration::from_secs(20);

/// Bytes of a body that is too big, which are read and thrown away, so that its sender, who reads no answer before it has
/// sent all, gets to know why; the connection of one who sends more is cut.
pub const BODY_DISCARD_BYTES_MAX: usize = 16 << 20;

/// When someone is told to try again who came at a bad moment: pauses here last milliseconds, and a second is the least
/// that `Retry-After` can say.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Characters in an incoming `X-Request-Id` that is kept; a longer one is replaced.
pub const REQUEST_ID_CHARACTERS_MAX: usize = 128;

/// Characters in an `Idempotency-Key` (as elsewhere on the web).
pub const IDEMPOTENCY_KEY_CHARACTERS_MAX: usize = 255;

/// How long an answer is kept for those who repeat their request: retries come within minutes, a day covers a night's outage.
pub const STORED_ANSWER_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers kept for those who repeat their request; the oldest make room. At one write a second, this is a day.
pub const STORED_ANSWERS_MAX: u64 = 100_000;

/// Bytes of the answers that are kept, on disk; the oldest make room.
pub const STORED_ANSWERS_BYTES_MAX: u64 = 256 << 20;

/// Bytes of one answer that is kept: the biggest answer to a write holds a description and a value of 20,000 characters each.
pub const STORED_ANSWER_BYTES_MAX: usize = 1 << 20;

/// Answers with a secret in them that are kept, in memory only; keys are issued by hand, not by the thousand.
pub const SENSITIVE_ANSWERS_MAX: usize = 1_000;

/// Events that may wait for a reader of server-sent events; a slow one makes its own stream wait, nobody else's.
pub const SSE_QUEUE_MAX: usize = 16;

/// Bytes of the environments that are kept in memory to be served (as their parts weigh; see `flags/served.rs`): some
/// hundred environments of a thousand features.
pub const FLAG_BYTES_MAX: usize = 512 << 20;

/// Environments whose place is kept though nothing of them is in memory: at about half a KiB each.
pub const FLAG_SLOTS_MAX: usize = 100_000;

/// Environments that are loaded at the same time: each is in memory twice while it is.
pub const FLAG_LOADS_MAX: usize = 2;

/// Parts of an environment that are loaded one by one; more are loaded faster as a whole.
pub const DIRTY_PARTS_MAX: usize = 1_000;

/// How often something is loaded anew because it changed while it was loaded, before those who wait are told to try again.
pub const RELOADS_MAX: usize = 16;

/// Bytes of a key of an environment: Flagsmith's have 22 or 26, and people may choose others.
pub const ENVIRONMENT_KEY_BYTES_MAX: usize = 255;

/// Keys that lead nowhere and are remembered, so that to try them again makes no work.
pub const UNKNOWN_KEYS_MAX: usize = 10_000;

/// Keys that are looked up in the read models at the same time: whoever tries out keys gets no more of the machine.
pub const KEY_LOOKUPS_MAX: usize = 2;

/// Flags whose evaluations are counted, each by itself: as many series of metrics as a monitoring system bears.
pub const USAGE_COUNTERS_MAX: usize = 10_000;

/// Evaluations that one report can name of one flag: far more than a client makes between two reports.
pub const USAGE_COUNT_MAX: u64 = 1_000_000_000;

/// Flags that one report can name: more are not read.
pub const USAGE_REPORT_FLAGS_MAX: usize = 10_000;

/// Streams of changes of flags that are open at the same time: each is a socket.
pub const FLAG_STREAMS_MAX: usize = 10_000;

/// Streams that follow clones and are open at the same time: each is a socket, and a task that looks at every event.
pub const CLONE_STREAMS_MAX: usize = 1_000;

/// For how long a token in the URL of a stream of changes is valid, at least: long enough to connect again after a short
/// break, short enough that one in someone's log is worth nothing the next day.
pub const STREAM_TOKEN_LIFE: Duration = Duration::from_secs(10 * 60);

/// Characters in the text of a trait (Flagsmith's limit).
pub const TRAIT_VALUE_CHARACTERS_MAX: usize = 2_000;

/// Characters in an identifier (Flagsmith's limit).
pub const IDENTIFIER_CHARACTERS_MAX: usize = 2_000;

/// Traits of one identity in one request.
pub const TRAITS_MAX: usize = 1_000;

/// How long a session of the console lasts: a working day.
pub const CONSOLE_SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// Sessions of the console that are remembered as ended before their time. With more, all that expire first are ended.
pub const CONSOLE_ENDED_SESSIONS_MAX: usize = 10_000;

/// How often a page of the console that somebody looks at is told of changes, at most: more often is not seen.
pub const CONSOLE_LIVE_INTERVAL: Duration = Duration::from_millis(100);

/// How long a start waits for the read models: enough for them to catch up with a few thousand events. If they need longer, the
/// door opens all the same, and says so to whoever asks for what is not there yet.
pub const START_WAIT: Duration = Duration::from_secs(1);

/// How much nicer the threads that work in the background are than those that answer (see sched(7)): whoever answers goes first,
/// and yet under load they get a quarter of the time, or less where they give way besides, since whoever has changed something
/// waits until read models show it.
pub const BACKGROUND_NICENESS: i32 = 5;

/// The same for the thread that writes the log: answers come first, but before the background, since commands wait for it.
pub const LOG_WRITER_NICENESS: i32 = 2;

/// How long a thread in the background works at a stretch while others wait for its core: a few times as long as an answer takes.
pub const BACKGROUND_STRETCH_MAX: Duration = Duration::from_micros(100);

/// After so many steps of SQLite's virtual machine, which take some ten microseconds, its work in the background may give way.
pub const SQLITE_STEPS_PER_STRETCH: i32 = 200;
