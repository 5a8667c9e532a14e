//! What a clone copies, in which order and under which ids.

mod contents;
mod equality;
mod order;
mod rejections;

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, CloneReader, CloneTarget, Environment, EnvironmentEvent, InvalidClone,
};
use offshoot_aggregates::ids::{FeatureSegmentId, FeatureStateId};
use offshoot_aggregates::project::{Project, ProjectEvent};

use crate::support::environment::environment;
use crate::support::project::project;
use crate::support::scenario::fold;
use crate::support::uuid;

/// Environment 2 of a project.
struct Source {
    project: Arc<Project>,
    environment: Arc<Environment>,
}

/// What happened to the project, and to environment 2, which it must have.
fn source(
    project_events: impl IntoIterator<Item = ProjectEvent>,
    environment_events: impl IntoIterator<Item = EnvironmentEvent>,
) -> Source {
    Source {
        project: Arc::new(fold(project(project_events))),
        environment: Arc::new(fold(environment(environment_events))),
    }
}

impl Source {
    fn reader(&self) -> Result<CloneReader, InvalidClone> {
        let target = CloneTarget {
            first_feature_state_id: FeatureStateId(70_000),
            first_override_state_id: FeatureStateId(80_000),
            first_feature_segment_id: FeatureSegmentId(90_000),
        };
        CloneReader::new(uuid(2), self.environment.clone(), self.project.clone(), target)
    }

    /// All that is copied.
    fn states(&self) -> Vec<BatchedState> {
        self.reader().and_then(|mut reader| reader.next_batch(usize::from(u16::MAX))).unwrap()
    }

    /// Why it cannot be copied.
    fn rejection(&self) -> InvalidClone {
        match self.reader().and_then(|mut reader| reader.next_batch(usize::from(u16::MAX))) {
            Ok(states) => panic!("copied: {states:?}"),
            Err(invalid) => invalid,
        }
    }
}
