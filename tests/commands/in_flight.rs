//! Commands to one aggregate do not wait for each other's disk writes. Whatever becomes of the one before, each is decided
//! on what the log holds, and nobody sees what is not on disk.

use std::sync::Arc;

use offshoot::commands::{
    AsOf, CloneOptions, CommandContext, CommandError, Commands, NewCondition, NewEnvironmentOptions, NewFeature,
    NewRule, NewSegment, Rejection,
};
use offshoot::event_log::{Appended, EventLog, SqliteEventLog};
use offshoot_aggregates::environment::{
    CloneMode, EnvironmentError, EnvironmentEvent, EnvironmentSettings, FeatureStateContent, FeatureValue, StateChange,
};
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::project::{ProjectSettings, SegmentOperator, SegmentRuleType};
use offshoot_aggregates::{Actor, Event, StreamId, Version};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::gated_log::Gate;

const CLIENTS: usize = 8;

/// An environment whose log lets changes through as a test allows.
struct Flag {
    gate: Gate,
    commands: Commands,
    /// The log without the gate.
    log: Arc<dyn EventLog>,
    environment: Uuid,
    feature: FeatureId,
    segment: SegmentId,
    _directory: TempDir,
}

fn context() -> CommandContext {
    CommandContext::new(Actor::operator("test"))
}

fn new_segment() -> NewSegment {
    let condition = NewCondition {
        id: None,
        operator: SegmentOperator::Equal,
        property: Some("plan".to_owned()),
        value: Some("gold".to_owned()),
        description: None,
    };
    let rule = NewRule { id: None, rule_type: SegmentRuleType::All, rules: vec![], conditions: vec![condition] };
    NewSegment { name: "gold".to_owned(), description: None, feature: None, rules: vec![rule] }
}

impl Flag {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = Arc::new(SqliteEventLog::open(&directory.path().join("log.db")).unwrap());
        let gate = Gate::closed_for(&["FeatureStateChanged", "SegmentOverrideAdded"]);
        let commands = Commands::new(gate.before(log.clone()));
        let (organisation, _) =
            commands.create_organisation(&context(), "Organisation".to_owned(), None).await.unwrap().created;
        let settings = ProjectSettings::named("project");
        let (project, _) = commands.create_project(&context(), organisation, settings, None).await.unwrap().created;
        let settings = EnvironmentSettings::named("environment");
        let options = NewEnvironmentOptions { settings, api_key: None, admin: None };
        let environment = commands.create_environment(&context(), project, options).await.unwrap().created.uuid;
        let new = NewFeature { name: "flag".to_owned(), ..NewFeature::default() };
        let feature = commands.create_feature(&context(), project, new).await.unwrap().created;
        let segment = commands.create_segment(&context(), project, new_segment()).await.unwrap().created;
        Self { gate, commands, log, environment, feature, segment, _directory: directory }
    }

    /// Sets the flag's value by these commands.
    fn set_by(&self, commands: &Commands, value: &str) -> JoinHandle<Result<Appended, CommandError>> {
        let (commands, environment, feature) = (commands.clone(), self.environment, self.feature);
        let change = StateChange { value: Some(FeatureValue::text(Some(value))), ..StateChange::default() };
        tokio::spawn(async move { commands.set_feature_state(&context(), environment, feature, change).await })
    }

    fn set(&self, value: &str) -> JoinHandle<Result<Appended, CommandError>> {
        self.set_by(&self.commands, value)
    }

    /// Sends so many changes; none is through before all wait at the gate.
    async fn crowd(&self) -> Vec<JoinHandle<Result<Appended, CommandError>>> {
        let mut sent = Vec::new();
        for number in 0..CLIENTS {
            sent.push(self.set(&format!("value {number}")));
            self.gate.crowded(number + 1).await;
        }
        sent
    }

    fn add_override(&self) -> JoinHandle<Result<Appended, CommandError>> {
        let (commands, environment) = (self.commands.clone(), self.environment);
        let (feature, segment) = (self.feature, self.segment);
        tokio::spawn(async move {
            let added = commands.add_segment_override(&context(), environment, feature, segment).await?;
            Ok(Appended { position: added.position, version: Version::NONE })
        })
    }

    /// What the changes in the log say, oldest first: each what was before and what is since.
    async fn changes(&self) -> Vec<(Arc<FeatureStateContent>, Arc<FeatureStateContent>)> {
        let stream = StreamId::environment(self.environment);
        let events = self.log.read_stream(&stream, Version::NONE, 1_000).await.unwrap();
        let change = |event: &offshoot_aggregates::RecordedEvent| match event.event().unwrap() {
            Event::Environment(EnvironmentEvent::FeatureStateChanged { before, after, .. }) => {
                Some((before.clone(), after.clone()))
            }
            _ => None,
        };
        events.iter().filter_map(change).collect()
    }

    /// Every change must have been decided on the one before it, and the aggregate be what the last one says.
    async fn assert_unbroken(&self, changes: usize) {
        let recorded = self.changes().await;
        assert_eq!(recorded.len(), changes);
        for pair in recorded.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "a change was decided on something else than the one before it");
        }
        let environment = self.commands.load_environment(self.environment).await.unwrap().aggregate;
        let state = environment.states().get(&self.feature).unwrap();
        assert_eq!(Some(&state.content), recorded.last().map(|(_, after)| after));
    }

    async fn version(&self) -> Version {
        self.commands.load_environment(self.environment).await.unwrap().version
    }
}

async fn done(sent: Vec<JoinHandle<Result<Appended, CommandError>>>) -> Vec<Appended> {
    let mut appended = Vec::new();
    for command in sent {
        appended.push(command.await.unwrap().unwrap());
    }
    appended
}

#[tokio::test]
async fn commands_to_one_aggregate_are_decided_before_the_ones_before_are_on_disk() {
    let flag = Flag::new().await;
    let before = flag.version().await;
    let sent = flag.crowd().await;
    flag.gate.open();
    let versions: Vec<_> = done(sent).await.iter().map(|appended| appended.version.0 - before.0).collect();
    assert_eq!(versions, (1..=CLIENTS as u64).collect::<Vec<_>>());
    flag.assert_unbroken(CLIENTS).await;
}

#[tokio::test]
async fn nobody_sees_what_is_not_on_disk() {
    let flag = Flag::new().await;
    let before = flag.version().await;
    let mut sent = flag.crowd().await;
    assert_eq!(flag.version().await, before);
    flag.gate.let_through(1);
    let first = sent.remove(0).await.unwrap().unwrap();
    assert_eq!(flag.version().await, first.version);
    assert!(sent.iter().all(|command| !command.is_finished()));
    flag.gate.open();
    done(sent).await;
    assert_eq!(flag.version().await, before.plus(CLIENTS as u64));
}

#[tokio::test]
async fn a_store_that_fails_in_the_middle_fails_one_command_and_the_others_are_decided_anew() {
    let flag = Flag::new().await;
    let mut sent = flag.crowd().await;
    flag.gate.let_through(2);
    done(sent.drain(..2).collect()).await;
    flag.gate.refuse_one();
    let failed = sent.remove(0).await.unwrap();
    assert!(matches!(failed, Err(CommandError::Unavailable(_))), "{failed:?}");
    flag.gate.open();
    done(sent).await;
    flag.assert_unbroken(CLIENTS - 1).await;
    let said: Vec<_> = flag.changes().await.iter().map(|(_, after)| after.value.clone()).collect();
    assert!(!said.contains(&FeatureValue::text(Some("value 2"))));
}

#[tokio::test]
async fn a_conflict_in_the_middle_lets_it_and_its_followers_be_decided_anew() {
    let flag = Flag::new().await;
    let mut sent = flag.crowd().await;
    flag.gate.let_through(2);
    done(sent.drain(..2).collect()).await;
    // Someone else, who is not held up at the gate, takes the version that the third one waits for.
    let elsewhere = Commands::new(flag.log.clone());
    flag.set_by(&elsewhere, "from elsewhere").await.unwrap().unwrap();
    flag.gate.open();
    done(sent).await;
    flag.assert_unbroken(CLIENTS + 1).await;
}

#[tokio::test]
async fn a_rejection_is_told_once_what_it_rests_on_is_on_disk() {
    let flag = Flag::new().await;
    let first = flag.add_override();
    flag.gate.crowded(1).await;
    let second = flag.add_override();
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    flag.gate.open();
    first.await.unwrap().unwrap();
    let rejected = second.await.unwrap();
    let expected = Rejection::Environment(EnvironmentError::SegmentOverrideExists);
    assert!(matches!(&rejected, Err(CommandError::Rejected(rejection)) if *rejection == expected), "{rejected:?}");
}

#[tokio::test]
async fn a_rejection_that_rests_on_what_was_not_recorded_is_none() {
    let flag = Flag::new().await;
    let first = flag.add_override();
    flag.gate.crowded(1).await;
    let second = flag.add_override();
    flag.gate.refuse_one();
    assert!(matches!(first.await.unwrap(), Err(CommandError::Unavailable(_))));
    flag.gate.open();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_to_change_is_told_once_what_it_rests_on_is_on_disk() {
    let flag = Flag::new().await;
    let first = flag.set("the same");
    flag.gate.crowded(1).await;
    let second = flag.set("the same");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!second.is_finished());
    flag.gate.refuse_one();
    assert!(matches!(first.await.unwrap(), Err(CommandError::Unavailable(_))));
    flag.gate.open();
    second.await.unwrap().unwrap();
    flag.assert_unbroken(1).await;
}

/// The first who asks gets what was kept when the clone was requested, the second what the log says.
#[tokio::test]
async fn what_is_kept_of_a_cut_is_what_the_log_says_of_it() {
    let flag = Flag::new().await;
    flag.gate.open();
    flag.set("before the cut").await.unwrap().unwrap();
    let options = CloneOptions {
        name: "clone".to_owned(),
        description: None,
        mode: CloneMode::Async,
        mode_reason: None,
        as_of: AsOf::Now,
        clone_permissions: true,
        admin: None,
    };
    let clone = flag.commands.request_clone(&context(), flag.environment, options).await.unwrap().created.uuid;
    let origin = flag.commands.load_environment(clone).await.unwrap().aggregate;
    let position = origin.creation().unwrap().clone.as_ref().unwrap().position;
    flag.set("after the cut").await.unwrap().unwrap();
    let kept = flag.commands.load_cut(flag.environment, position).await.unwrap();
    let read = flag.commands.load_cut(flag.environment, position).await.unwrap();
    let value = kept.source.states().get(&flag.feature).unwrap().content.value.clone();
    assert_eq!(value, FeatureValue::text(Some("before the cut")));
    assert_eq!((&kept.source, &kept.project), (&read.source, &read.project));
    assert_eq!((kept.source_version, kept.project_version), (read.source_version, read.project_version));
}
