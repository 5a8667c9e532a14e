//! A log that lets a clone's batches through one by one, as a test allows, fails when a test says so, and can be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot::event_log::{Append, AppendError, Appended, EventLog, ReadError, Written};
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// How the gate is worked from outside.
#[derive(Clone)]
pub struct Gate {
    /// A permit lets a batch through.
    batches: Arc<Semaphore>,
    /// Batches that will fail before one is let through.
    failures: Arc<AtomicU32>,
    /// Whether the store is away, and how often someone came meanwhile.
    away: Arc<watch::Sender<(bool, u64)>>,
}

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self {
            batches: Arc::new(Semaphore::new(0)),
            failures: Arc::default(),
            away: Arc::new(watch::Sender::new((false, 0))),
        }
    }

    /// Lets so many more batches through.
    pub fn let_through(&self, batches: usize) {
        self.batches.add_permits(batches);
    }

    /// Lets all batches through from now on.
    pub fn open(&self) {
        self.let_through(Semaphore::MAX_PERMITS / 2);
    }

    /// Lets the next so many attempts at a batch fail, as if the store were away.
    pub fn fail(&self, attempts: u32) {
        self.failures.store(attempts, Ordering::SeqCst);
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
        if append.events.len() == 1 && append.events[0].event_type == "FeatureStatesBatchCopied" {
            let failing =
                self.gate.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if failing.is_ok() {
                return Err(AppendError::Unavailable("the test says so".to_owned()));
            }
            self.gate.batches.acquire().await.unwrap().forget();
        }
        self.log.append(append).await
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

    fn written(&self) -> Written {
        self.log.written()
    }

    async fn close(&self) {
        self.log.close().await;
    }
}
