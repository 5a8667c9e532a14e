//! Reads the parts of an environment that are out of date, and puts them into a copy of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use offshoot_aggregates::ids::{EnvironmentId, FeatureId, IdentityId, ProjectId, SegmentId};
use offshoot_aggregates::project::Segment;
use offshoot_projections::Page;
use offshoot_projections::feature_states::{self, FeatureStateView, StateFilter, StateScope};
use offshoot_projections::features::{self, FeatureFilter, FeatureSort, SortDirection, StoredFeature};
use rusqlite::Connection;

use super::loading::{Loaded, States, fill, head, reach, whole};
use super::served::ServedEnvironment;
use super::slot::Contents;
use super::touched::Dirt;
use crate::read_models::{QueryError, ReadModels};

/// Reads the parts of an environment that are out of date, and puts them into a copy of it.
pub(super) async fn parts(
    read_models: &ReadModels,
    environment: &ServedEnvironment,
    dirt: &Dirt,
    sibling: Option<Arc<ServedEnvironment>>,
) -> Result<Loaded, QueryError> {
    let mut changed = environment.to_be_changed(sibling.clone());
    let mut wanted = Wanted::of(environment, dirt);
    let id = environment.head.environment.id;
    let (wanted_features, wanted_identities) = (wanted.features.clone(), wanted.identities.clone());
    let query = move |file: &Connection| some_states(file, id, &wanted_features, &wanted_identities);
    let Some(states) = read_models.feature_states.query(query).await? else { return Ok(Loaded::Gone) };
    reach(read_models, states.version.position).await;
    if dirt.head {
        let Some(head) = head(read_models, id).await? else { return Ok(Loaded::Gone) };
        if !changed.set_head(head) {
            return whole(read_models, id, sibling).await;
        }
    }
    wanted.features.extend(states.states.iter().map(|state| state.feature));
    let (ids, segments) = (wanted.features.iter().copied().collect(), wanted.segments.clone());
    let project = changed.head.project.id;
    let query = move |file: &Connection| definitions(file, project, ids, &segments);
    let (stored, segments) = read_models.features.query(query).await?;
    for segment in &dirt.segments {
        match segments.iter().find(|found| found.id == *segment) {
            Some(found) => changed.insert_segment(found),
            None => changed.remove_segment(*segment),
        }
    }
    dirt.segments_gone.iter().for_each(|segment| changed.remove_segment(*segment));
    for feature in Wanted::of(environment, dirt).features {
        let has_default = |state: &FeatureStateView| state.feature == feature && !state.is_override();
        if !stored.contains_key(&feature) || !states.states.iter().any(has_default) {
            changed.remove_feature(feature);
        }
    }
    wanted.identities.iter().for_each(|identity| changed.remove_identity(*identity));
    changed.set_tag(states.tag());
    fill(&mut changed, states, &stored);
    Ok(Loaded::Contents(Contents::Served(changed.finished())))
}

/// What has to be read because of what is out of date.
struct Wanted {
    features: BTreeSet<FeatureId>,
    identities: BTreeSet<IdentityId>,
    segments: BTreeSet<SegmentId>,
}

impl Wanted {
    fn of(environment: &ServedEnvironment, dirt: &Dirt) -> Self {
        let mut features = dirt.features.clone();
        features.extend(&dirt.states);
        features.extend(dirt.segments_gone.iter().flat_map(|segment| environment.features_overridden_for(*segment)));
        let mut identities = dirt.identities.clone();
        identities.extend(dirt.features.iter().flat_map(|feature| environment.identities_overriding(*feature)));
        Self { features, identities, segments: dirt.segments.clone() }
    }
}

fn some_states(
    file: &Connection,
    id: EnvironmentId,
    features: &BTreeSet<FeatureId>,
    identities: &BTreeSet<IdentityId>,
) -> rusqlite::Result<Option<States>> {
    let Some(version) = feature_states::served_version(file, id)? else { return Ok(None) };
    let mut states = Vec::new();
    for feature in features {
        let filter = StateFilter { feature: Some(*feature), scope: StateScope::All, ..StateFilter::default() };
        let of_feature = feature_states::list_states(file, id, filter, Page::ALL)?;
        states.extend(of_feature.into_iter().filter(|state| state.identity.is_none()));
    }
    let mut found = Vec::new();
    for identity in identities {
        let Some(stored) = feature_states::identity(file, *identity)?.filter(|stored| stored.environment == id) else {
            continue;
        };
        states.extend(feature_states::list_states(file, id, of_identity(*identity), Page::ALL)?);
        found.push(stored);
    }
    Ok(Some(States { version, states, identities: found }))
}

type Definitions = (HashMap<FeatureId, StoredFeature>, Vec<Segment>);

fn definitions(
    file: &Connection,
    project: ProjectId,
    ids: Vec<FeatureId>,
    segments: &BTreeSet<SegmentId>,
) -> rusqlite::Result<Definitions> {
    let filter = FeatureFilter { ids: Some(ids), ..FeatureFilter::default() };
    let order = (FeatureSort::default(), SortDirection::default());
    let stored = features::list_features(file, project, &filter, order, Page::ALL)?;
    let stored = stored.into_iter().map(|feature| (feature.definition.id, feature)).collect();
    let segments: Vec<_> = segments.iter().copied().collect();
    let segments = features::segments_by_ids(file, &segments)?.into_iter().map(|segment| segment.segment);
    Ok((stored, segments.collect()))
}

fn of_identity(identity: IdentityId) -> StateFilter {
    StateFilter { scope: StateScope::Identity(identity), ..StateFilter::default() }
}
