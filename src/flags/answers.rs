//! What an environment answers: the bodies of Flagsmith's endpoints and of OFREP's, put together from fragments.

use axum::body::Bytes;
use offshoot_projections::flag_engine::{CompiledFeature, Context, Evaluation, Reason, StateSource, Variant};

use super::document;
use super::document_parts::IdentityFragments;
use super::fragments::{FeatureFragments, Outcome, StateFragments};
use super::served::ServedEnvironment;

/// Whom an answer is for: whoever has a server key is shown everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// With a client key, which anybody may know.
    Client,
    /// With a server key.
    Server,
}

/// A body that is more than this many times too small for its buffer is not worth a second thought.
const FLAG_BYTES: usize = 384;

impl ServedEnvironment {
    fn shows(&self, audience: Audience, feature: &FeatureFragments, is_enabled: bool) -> bool {
        (is_enabled || !self.head.hides_disabled_flags())
            && (audience == Audience::Server || !feature.is_server_key_only)
    }

    /// The list of all flags, as they are for nobody in particular.
    #[must_use]
    pub fn flags(&self, audience: Audience) -> Bytes {
        let rendered = match audience {
            Audience::Client => &self.rendered.client_flags,
            Audience::Server => &self.rendered.server_flags,
        };
        rendered.get_or_init(|| self.render_flags(audience)).clone()
    }

    fn render_flags(&self, audience: Audience) -> Bytes {
        let mut out = Vec::with_capacity(self.compiled.features().len() * FLAG_BYTES);
        out.push(b'[');
        for feature in self.compiled.features() {
            if self.shows(audience, &feature.attachment, feature.default_state().content.enabled) {
                separate(&mut out);
                feature.attachment.default.plain().write_flag(&mut out, &feature.attachment);
            }
        }
        out.push(b']');
        out.shrink_to_fit();
        out.into()
    }

    /// The flag of one feature, named in whatever case; `None` if there is none to be shown.
    #[must_use]
    pub fn flag(&self, audience: Audience, name: &str) -> Option<Bytes> {
        let feature = self.feature_called(name)?;
        let shown = self.shows(audience, &feature.attachment, feature.default_state().content.enabled);
        shown.then(|| {
            let mut out = Vec::with_capacity(FLAG_BYTES);
            feature.attachment.default.plain().write_flag(&mut out, &feature.attachment);
            out.into()
        })
    }

    /// A feature, named in whatever case.
    fn feature_called(&self, name: &str) -> Option<&CompiledFeature<FeatureFragments>> {
        if let Some(feature) = self.compiled.feature_named(name) {
            return Some(feature);
        }
        let wanted = name.to_lowercase();
        self.compiled.features().find(|feature| feature.name().to_lowercase() == wanted).map(AsRef::as_ref)
    }

    /// Whether there is a feature with exactly this name.
    #[must_use]
    pub fn has_feature(&self, name: &str) -> bool {
        self.compiled.feature_named(name).is_some()
    }

    /// The environment document.
    #[must_use]
    pub fn document(&self) -> Bytes {
        self.rendered.document.get_or_init(|| document::render(self)).clone()
    }

    /// Writes the list of all flags, as they are for an identity.
    pub fn write_flags_of_identity(&self, out: &mut Vec<u8>, audience: Audience, context: Context<'_>) {
        let identity = self.overridden(&context);
        out.reserve(self.compiled.features().len() * FLAG_BYTES);
        out.push(b'[');
        for evaluation in self.compiled.evaluator(context).flags() {
            if self.shows(audience, &evaluation.feature.attachment, evaluation.enabled()) {
                separate(out);
                outcome(identity, &evaluation).write_flag_of_identity(out, &evaluation.feature.attachment);
            }
        }
        out.push(b']');
    }

    /// The flag of one feature, named in whatever case, as it is for an identity; `None` if there is none to be shown.
    #[must_use]
    pub fn flag_of_identity(&self, audience: Audience, context: Context<'_>, name: &str) -> Option<Bytes> {
        let feature = self.feature_called(name)?;
        let evaluation = self.compiled.evaluator(context).flag(feature);
        let shown = self.shows(audience, &feature.attachment, evaluation.enabled());
        shown.then(|| {
            let mut out = Vec::with_capacity(FLAG_BYTES);
            outcome(self.overridden(&context), &evaluation).write_flag_of_identity(&mut out, &feature.attachment);
            out.into()
        })
    }

    /// One evaluation in OFREP's form; `None` if there is no such flag to be shown.
    #[must_use]
    pub fn evaluation(&self, audience: Audience, context: Context<'_>, name: &str) -> Option<Bytes> {
        let evaluation = self.compiled.evaluator(context).flag_named(name)?;
        let feature = &evaluation.feature.attachment;
        self.shows(audience, feature, evaluation.enabled()).then(|| {
            let mut out = Vec::with_capacity(FLAG_BYTES);
            write_evaluation(&mut out, self.overridden(&context), &evaluation);
            out.into()
        })
    }

    /// Writes all evaluations in OFREP's form.
    pub fn write_evaluations(&self, out: &mut Vec<u8>, audience: Audience, context: Context<'_>) {
        let identity = self.overridden(&context);
        out.reserve(self.compiled.features().len() * FLAG_BYTES / 2);
        out.push(b'[');
        for evaluation in self.compiled.evaluator(context).flags() {
            if self.shows(audience, &evaluation.feature.attachment, evaluation.enabled()) {
                separate(out);
                write_evaluation(out, identity, &evaluation);
            }
        }
        out.push(b']');
    }

    /// The identity that is asked for, if it has overrides.
    fn overridden(&self, context: &Context<'_>) -> Option<&IdentityFragments> {
        let id = self.identities_by_name.get(context.identity?.identifier)?;
        self.identities.get(id).map(AsRef::as_ref)
    }
}

/// Writes the comma before each item but the first.
fn separate(out: &mut Vec<u8>) {
    if !out.ends_with(b"[") {
        out.push(b',');
    }
}

/// The fragments of what was decided.
fn outcome<'e>(identity: Option<&'e IdentityFragments>, evaluation: &Evaluation<'e, FeatureFragments>) -> &'e Outcome {
    state(identity, evaluation).outcome(evaluation.variant)
}

fn state<'e>(
    identity: Option<&'e IdentityFragments>,
    evaluation: &Evaluation<'e, FeatureFragments>,
) -> &'e StateFragments {
    let feature = &evaluation.feature.attachment;
    match evaluation.source {
        StateSource::Default => &feature.default,
        StateSource::SegmentOverride { index, .. } => feature.overrides.get(index).unwrap_or(&feature.default),
        StateSource::IdentityOverride => {
            identity.and_then(|identity| identity.state(evaluation.feature.id())).unwrap_or(&feature.default)
        }
    }
}

fn write_evaluation<'e>(
    out: &mut Vec<u8>,
    identity: Option<&'e IdentityFragments>,
    evaluation: &Evaluation<'e, FeatureFragments>,
) {
    let state = state(identity, evaluation);
    let has_variants = !evaluation.feature.options().is_empty();
    let outcome = match evaluation.variant {
        // Nobody is asked for, or nothing is split: the control value, by its name.
        Variant::None if has_variants => state.control(),
        variant => state.outcome(variant),
    };
    out.extend_from_slice(b"{\"key\":");
    out.extend_from_slice(evaluation.feature.attachment.key.as_bytes());
    out.extend_from_slice(reason(evaluation));
    out.extend_from_slice(outcome.evaluation.as_bytes());
    out.push(b'}');
}

/// Flagsmith's reason in OFREP's words. The control value of a split is as much a part of it as any option.
fn reason(evaluation: &Evaluation<'_, FeatureFragments>) -> &'static [u8] {
    if !evaluation.enabled() {
        return b",\"reason\":\"DISABLED\",";
    }
    match (evaluation.variant, evaluation.reason) {
        (Variant::Control | Variant::Option { .. }, _) | (_, Reason::Split { .. }) => b",\"reason\":\"SPLIT\",",
        (_, Reason::Segment { .. } | Reason::IdentityOverride) => b",\"reason\":\"TARGETING_MATCH\",",
        (_, Reason::Static | Reason::Default) => b",\"reason\":\"STATIC\",",
        (_, Reason::CircularDependency) => b",\"reason\":\"UNKNOWN\",",
    }
}
