//! A log that lets some events through one by one, in the order in which they come, as a test allows, fails when a test says
//! so, and can be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot::event_log::{Append, AppendError, Appended, Claim, EventLog, ReadError, Written};
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::{Mutex, Semaphore, watch};
use uuid::Uuid;

/// How the gate is worked from outside.
#[derive(Clone)]
pub struct Gate {
    /// The types of the events that wait; one alone in its append.
    event_types: &'static [&'static str],
    /// A permit lets an event through.
    passes: Arc<Semaphore>,
    /// A permit turns an event away.
    refusals: Arc<Semaphore>,
    /// Events that will fail as they come.
    failures: Arc<AtomicU32>,
    /// Whether no environment can come to be.
    no_environments: Arc<AtomicBool>,
    /// Whether the store is away, and how often someone came meanwhile.
    away: Arc<watch::Sender<(bool, u64)>>,
    /// How many have come to the gate and are not through.
    waiting: Arc<watch::Sender<usize>>,
    /// Held by the first of those that wait.
    turn: Arc<Mutex<()>>,
}

impl Gate {
    /// A gate that is closed for the batches of clones.
    pub fn closed() -> Self {
        Self::closed_for(&["FeatureStatesBatchCopied"])
    }

    /// A gate that is closed for events of these types.
    pub fn closed_for(event_types: &'static [&'static str]) -> Self {
        let semaphore = || Arc::new(Semaphore::new(0));
        Self {
            event_types,
            passes: semaphore(),
            refusals: semaphore(),
            failures: Arc::default(),
            no_environments: Arc::default(),
            away: Arc::new(watch::Sender::new((false, 0))),
            waiting: Arc::new(watch::Sender::new(0)),
            turn: Arc::default(),
        }
    }

    /// Lets so many more through.
    pub fn let_through(&self, events: usize) {
        self.passes.add_permits(events);
    }

    /// Lets all through from now on.
    pub fn open(&self) {
        self.let_through(Semaphore::MAX_PERMITS / 2);
    }

    /// Lets the next so many that come fail at once, as if the store were away.
    pub fn fail(&self, attempts: u32) {
        self.failures.store(attempts, Ordering::SeqCst);
    }

    /// Lets the first of those that wait fail.
    pub fn refuse_one(&self) {
        self.refusals.add_permits(1);
    }

    /// Waits until so many wait.
    pub async fn crowded(&self, waiting: usize) {
        self.waiting.subscribe().wait_for(|now| *now == waiting).await.unwrap();
    }

    /// Lets the events fail with which an environment comes to be, or no longer.
    pub fn refuse_environments(&self, refuse: bool) {
        self.no_environments.store(refuse, Ordering::SeqCst);
    }

    /// Lets every read and every write fail until the store is back.
    pub fn go_away(&self) {
        self.away.send_replace((true, 0));
    }

    /// Lets the store be back.
    pub fn come_back(&self) {
        self.away.send_modify(|(is_away, _)| *is_away = false);
    }

    /// Waits until so many came in vain.
    pub async fn wait_for_refusals(&self, count: u64) {
        let mut refused = self.away.subscribe();
        let waiting = refused.wait_for(|(_, refused)| *refused >= count);
        tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("nobody comes").unwrap();
    }

    fn pass(&self) -> Result<(), String> {
        let is_away = self.away.borrow().0;
        if is_away {
            self.away.send_modify(|(_, refused)| *refused += 1);
            return Err("the store is away".to_owned());
        }
        Ok(())
    }

    /// The log behind this gate.
    pub fn before(&self, log: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        Arc::new(GatedLog { log, gate: self.clone() })
    }
}

struct GatedLog {
    log: Arc<dyn EventLog>,
    gate: Gate,
}

#[async_trait]
impl EventLog for GatedLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.gate.pass().map_err(AppendError::Unavailable)?;
        let is_creation = append.events.iter().any(|event| event.event_type == "EnvironmentCreated");
        if is_creation && self.gate.no_environments.load(Ordering::SeqCst) {
            return Err(AppendError::Unavailable("the disk does not answer".to_owned()));
        }
        let Gate { event_types, passes, refusals, failures, waiting, turn, .. } = &self.gate;
        let unavailable = || Err(AppendError::Unavailable("the disk does not answer".to_owned()));
        if append.events.len() != 1 || !event_types.contains(&append.events[0].event_type) {
            return self.log.append(append).await;
        }
        if failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return unavailable();
        }
        waiting.send_modify(|waiting| *waiting += 1);
        let _turn = turn.lock().await;
        let is_let_through = tokio::select! {
            biased;
            refusal = refusals.acquire() => {
                refusal.unwrap().forget();
                false
            }
            pass = passes.acquire() => {
                pass.unwrap().forget();
                true
            }
        };
        // Before anyone can see the event: then the next one to wait is another.
        waiting.send_modify(|waiting| *waiting -= 1);
        if is_let_through { self.log.append(append).await } else { unavailable() }
    }

    fn takes_followers(&self) -> bool {
        self.log.takes_followers()
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.read_stream(stream, after, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.head().await
    }

    async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.version_at(stream, position).await
    }

    async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.position_at(time).await
    }

    async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.time_at(position).await
    }

    async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError> {
        self.gate.pass().map_err(ReadError::Unavailable)?;
        self.log.find_command(command).await
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.log.watch()
    }

    fn store_name(&self) -> &'static str {
        self.log.store_name()
    }

    fn is_shared(&self) -> bool {
        self.log.is_shared()
    }

    fn append_bytes_max(&self) -> Option<usize> {
        self.log.append_bytes_max()
    }

    async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        self.log.claim(work).await
    }

    fn written(&self) -> Written {
        self.log.written()
    }

    async fn close(&self) {
        self.log.close().await;
    }
}
