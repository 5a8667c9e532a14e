//! One environment as it is served: compiled, with the JSON of all its parts, as of one moment. A change makes a new one,
//! which shares with the old one whatever did not change.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::{FeatureId, IdentityId, SegmentId};
use offshoot_aggregates::project::Segment;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::features::{StoredFeature, StoredOrganisation, StoredProject};
use offshoot_projections::flag_engine::{
    CompiledEnvironment, CompiledFeature, CompiledSegment, EnvironmentIdentity, FeatureDefinition, SegmentState,
};

use super::document_parts::{IdentityFragments, SegmentFragments};
use super::fragments::{FeatureFragments, RenderedFor};
use super::source::{FeatureSource, IdentitySource};
use super::tag::{Tag, TagHeaders};

/// What is said of an environment as a whole.
#[derive(Debug)]
pub struct Head {
    /// The environment, its settings among it.
    pub environment: StoredEnvironment,
    /// Its project.
    pub project: StoredProject,
    /// The project's organisation.
    pub organisation: StoredOrganisation,
}

impl Head {
    /// Whether disabled flags are left out of answers.
    #[must_use]
    pub fn hides_disabled_flags(&self) -> bool {
        self.environment.settings.hide_disabled_flags.unwrap_or(self.project.settings.hide_disabled_flags)
    }

    fn rendered_for(&self) -> RenderedFor {
        RenderedFor {
            environment: self.environment.id.0,
            environment_uuid: self.environment.uuid,
            hides_sensitive_data: self.environment.settings.hide_sensitive_data,
        }
    }

    fn engine_identity(&self) -> EnvironmentIdentity {
        EnvironmentIdentity {
            api_key: self.environment.api_key.as_str().into(),
            name: self.environment.settings.name.as_str().into(),
            use_identity_composite_key_for_hashing: self.environment.settings.use_identity_composite_key_for_hashing,
        }
    }
}

/// One environment as it is served.
pub struct ServedEnvironment {
    /// What is said of it as a whole.
    pub head: Arc<Head>,
    /// Which state of the environment this is.
    pub tag: Tag,
    /// The same for headers.
    pub headers: TagHeaders,
    pub(super) compiled: CompiledEnvironment<FeatureFragments>,
    pub(super) segments: imbl::OrdMap<SegmentId, Arc<SegmentFragments>>,
    /// Those that have overrides.
    pub(super) identities: imbl::OrdMap<IdentityId, Arc<IdentityFragments>>,
    pub(super) identities_by_name: imbl::HashMap<Arc<str>, IdentityId>,
    /// Another environment of the project that is in memory, while this one is put together: what is the same in both is kept
    /// once.
    sibling: Option<Arc<ServedEnvironment>>,
    /// Bytes of the parts, about, without what is rendered below.
    parts_weight: usize,
    pub(super) rendered: Rendered,
}

/// Whole bodies, each rendered when it is first asked for.
#[derive(Default)]
pub(super) struct Rendered {
    pub(super) client_flags: OnceLock<Bytes>,
    pub(super) server_flags: OnceLock<Bytes>,
    pub(super) document: OnceLock<Bytes>,
}

impl ServedEnvironment {
    /// An environment without features and segments.
    pub(super) fn new(head: Head, tag: Tag, sibling: Option<Arc<Self>>) -> Self {
        Self {
            sibling,
            compiled: CompiledEnvironment::new(head.engine_identity()),
            head: Arc::new(head),
            tag,
            headers: tag.into(),
            segments: imbl::OrdMap::new(),
            identities: imbl::OrdMap::new(),
            identities_by_name: imbl::HashMap::new(),
            parts_weight: 0,
            rendered: Rendered::default(),
        }
    }

    /// The same, to be changed.
    pub(super) fn to_be_changed(&self, sibling: Option<Arc<Self>>) -> Self {
        Self {
            sibling,
            head: self.head.clone(),
            tag: self.tag,
            headers: self.headers.clone(),
            compiled: self.compiled.clone(),
            segments: self.segments.clone(),
            identities: self.identities.clone(),
            identities_by_name: self.identities_by_name.clone(),
            parts_weight: self.parts_weight,
            rendered: Rendered::default(),
        }
    }

    /// It is whole, and can be served.
    pub(super) fn finished(mut self) -> Arc<Self> {
        // Or each would keep the one before it in memory.
        self.sibling = None;
        Arc::new(self)
    }

    /// Takes other settings of the environment, the project or the organisation. False if all fragments must be rendered
    /// anew because of them.
    pub(super) fn set_head(&mut self, head: Head) -> bool {
        let are_fragments_valid = head.rendered_for() == self.head.rendered_for();
        self.compiled.set_identity(head.engine_identity());
        self.head = Arc::new(head);
        are_fragments_valid
    }

    /// Says which state of the environment this is. Neither position nor time go back.
    pub(super) fn set_tag(&mut self, tag: Tag) {
        self.tag = self.tag.later(tag);
        self.headers = self.tag.into();
    }

    /// Takes a feature, in the place of the one with the same id if there is one.
    pub(super) fn insert_feature(&mut self, source: FeatureSource) {
        let FeatureSource { stored, default, mut overrides } = source;
        self.forget_weight(stored.definition.id);
        // In the order that the engine keeps them in, by which it tells which of them it took.
        overrides.sort_by_key(|over| (over.link.priority, over.link.segment));
        let mut fragments = FeatureFragments::render(self.head.rendered_for(), &stored, &default, &overrides);
        let mut definition = definition(&stored, default, overrides);
        if let Some(other) = self.sibling.as_ref().and_then(|sibling| sibling.compiled.feature(definition.id)) {
            fragments.share(&other.attachment);
            definition.share(other);
        }
        let feature = CompiledFeature::new(definition, fragments);
        self.parts_weight += weight(&feature);
        self.compiled.insert_feature(Arc::new(feature));
    }

    /// Loses a feature with all its states.
    pub(super) fn remove_feature(&mut self, feature: FeatureId) {
        self.forget_weight(feature);
        self.compiled.remove_feature(feature);
    }

    fn forget_weight(&mut self, feature: FeatureId) {
        if let Some(before) = self.compiled.feature(feature) {
            self.parts_weight = self.parts_weight.saturating_sub(weight(before));
        }
    }

    /// The features that have an override for a segment.
    pub(super) fn features_overridden_for(&self, segment: SegmentId) -> Vec<FeatureId> {
        let has_override = |feature: &&Arc<CompiledFeature<_>>| {
            feature.overrides().iter().any(|over: &SegmentState| over.link.segment == segment)
        };
        self.compiled.features().filter(has_override).map(|feature| feature.id()).collect()
    }

    /// Takes a segment, in the place of the one with the same id if there is one.
    pub(super) fn insert_segment(&mut self, segment: &Segment) {
        let rendered = SegmentFragments::render(segment);
        let sibling = self.sibling.as_ref().and_then(|sibling| {
            let fragments = sibling.segments.get(&segment.id).filter(|other| ***other == rendered)?;
            Some((fragments.clone(), sibling.compiled.segment(segment.id)?.clone()))
        });
        // The document has all of a segment that the engine goes by.
        let (fragments, compiled) =
            sibling.unwrap_or_else(|| (Arc::new(rendered), Arc::new(CompiledSegment::new(segment))));
        self.compiled.insert_compiled_segment(compiled);
        self.parts_weight += 2 * fragments.weight();
        if let Some(before) = self.segments.insert(segment.id, fragments) {
            self.parts_weight = self.parts_weight.saturating_sub(2 * before.weight());
        }
    }

    /// Loses a segment.
    pub(super) fn remove_segment(&mut self, segment: SegmentId) {
        self.compiled.remove_segment(segment);
        if let Some(before) = self.segments.remove(&segment) {
            self.parts_weight = self.parts_weight.saturating_sub(2 * before.weight());
        }
    }

    /// Takes an identity with all its overrides, in the place of what was known of it; one without overrides is not kept.
    pub(super) fn insert_identity(&mut self, source: IdentitySource) {
        self.remove_identity(source.id);
        let known = |feature: FeatureId| self.compiled.feature(feature).is_some();
        let overrides: Vec<_> = source.overrides.into_iter().filter(|over| known(over.stored.definition.id)).collect();
        if overrides.is_empty() {
            return;
        }
        let source = IdentitySource { overrides, ..source };
        for over in &source.overrides {
            let feature = over.stored.definition.id;
            self.compiled.insert_identity_override(&source.identifier, feature, over.state.clone());
        }
        let fragments = IdentityFragments::render(self.head.rendered_for(), &self.head.environment.api_key, source);
        self.parts_weight += fragments.weight();
        self.identities_by_name.insert(fragments.identifier.clone(), fragments.id);
        self.identities.insert(fragments.id, Arc::new(fragments));
    }

    /// Loses an identity and its overrides.
    pub(super) fn remove_identity(&mut self, identity: IdentityId) {
        let Some(before) = self.identities.remove(&identity) else { return };
        self.identities_by_name.remove(&before.identifier);
        for (feature, _) in &before.states {
            self.compiled.remove_identity_override(&before.identifier, *feature);
        }
        self.parts_weight = self.parts_weight.saturating_sub(before.weight());
    }

    /// The identities that have an override of a feature.
    pub(super) fn identities_overriding(&self, feature: FeatureId) -> Vec<IdentityId> {
        let overrides = |identity: &&Arc<IdentityFragments>| identity.states.iter().any(|(of, _)| *of == feature);
        self.identities.values().filter(overrides).map(|identity| identity.id).collect()
    }

    /// Bytes that it takes in memory, about, once all bodies are rendered: they repeat what is in the parts.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>() + 2 * self.parts_weight
    }
}

fn definition(stored: &StoredFeature, default: FeatureState, overrides: Vec<SegmentState>) -> FeatureDefinition {
    FeatureDefinition {
        id: stored.definition.id,
        name: stored.definition.name.as_str().into(),
        feature_type: stored.definition.feature_type,
        options: stored.definition.options.clone().into(),
        default,
        overrides,
    }
}

/// Bytes that the values of states take beside the fragments: about as many as in the fragments of the document.
fn weight(feature: &CompiledFeature<FeatureFragments>) -> usize {
    /// The definition, the states, and the places in the maps.
    const FIXED: usize = 512;
    FIXED + feature.attachment.weight() * 5 / 4
}
