//! Reading a log past the log, for copying it to another store. The other way there is none: this store gives positions itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use eventstore::{ReadAllOptions, StreamPosition};
use offshoot_aggregates::RecordedEvent;
use uuid::Uuid;

use super::KurrentEventLog;
use super::client::addressed;
use super::reader::unavailable;
use crate::event_log::ReadError;
use crate::event_log::copying::{PastTheLog, RecordedCommand};
use crate::limits::PAGE_EVENTS_MAX;

/// The commands that a log remembers.
pub(in crate::event_log) struct KurrentCopy {
    log: Arc<KurrentEventLog>,
    /// All of them, once somebody has asked: the database has them in the order in which they came.
    commands: Option<BTreeMap<Uuid, RecordedCommand>>,
}

impl KurrentCopy {
    pub(in crate::event_log) fn new(log: Arc<KurrentEventLog>) -> Self {
        Self { log, commands: None }
    }

    async fn all_commands(&self) -> Result<BTreeMap<Uuid, RecordedCommand>, ReadError> {
        let mut commands = BTreeMap::new();
        let mut place = StreamPosition::Start;
        loop {
            let (sent, end) = self.sent_from(place).await?;
            for id in sent {
                let found = self.log.writer.remembered().find(id).await?;
                commands.extend(found.map(|(stream, last)| (id, RecordedCommand { id, stream, last })));
            }
            match end {
                Some(position) => place = StreamPosition::Position(position),
                None => return Ok(commands),
            }
        }
    }

    /// Commands that were sent somewhere, from a place on; and where to go on, if that is not all.
    async fn sent_from(
        &self,
        place: StreamPosition<eventstore::Position>,
    ) -> Result<(Vec<Uuid>, Option<eventstore::Position>), ReadError> {
        let client = self.log.reader.client();
        let options = ReadAllOptions::default().position(place).forwards().max_count(PAGE_EVENTS_MAX);
        let options = &addressed!(client, options);
        let names = client.names();
        let read = |client: eventstore::Client| async move {
            let mut stream = client.read_all(options).await?;
            let (mut sent, mut last, mut records) = (Vec::new(), None, 0);
            while let Some(event) = stream.next().await? {
                records += 1;
                let Some(event) = event.event else { continue };
                last = Some(event.position);
                sent.extend(names.parse_command(&event.stream_id));
            }
            Ok((sent, last.filter(|_| records == PAGE_EVENTS_MAX)))
        };
        client.read(read).await.map_err(unavailable)
    }
}

#[async_trait]
impl PastTheLog for KurrentCopy {
    async fn commands(&mut self, after: Option<Uuid>, limit: usize) -> Result<Vec<RecordedCommand>, ReadError> {
        let commands = match self.commands.take() {
            Some(commands) => commands,
            None => self.all_commands().await?,
        };
        let commands = self.commands.insert(commands);
        let above = commands.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
        Ok(above.take(limit).map(|(_, command)| command.clone()).collect())
    }

    fn keeps_positions(&self) -> bool {
        false
    }

    async fn write(&mut self, _: &[RecordedEvent], _: &[RecordedCommand]) -> Result<(), String> {
        Err("KurrentDB gives positions itself".to_owned())
    }
}
