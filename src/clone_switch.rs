//! The switch for asynchronous clones. Offshoot asks its own flags: with a control environment set, one of its features
//! decides for each organisation whether a request for an asynchronous clone is honoured or falls back to a synchronous one.

use offshoot_aggregates::environment::{CloneMode, CloneModeReason};
use offshoot_projections::flag_engine::{Context, Identity};
use uuid::Uuid;

use crate::config::CloneSwitchConfig;
use crate::flags::Flags;

/// The feature of the control environment that decides. The identity is the organisation's UUID, so that it can be rolled
/// out to some organisations or to a percentage of them.
pub const CONTROL_FEATURE: &str = "clone_feature_states_async";

/// The switch for asynchronous clones.
#[derive(Clone, Debug)]
pub struct CloneSwitch {
    control_environment: Option<String>,
    configured: CloneMode,
}

impl CloneSwitch {
    /// The switch as it is configured.
    #[must_use]
    pub fn new(config: &CloneSwitchConfig) -> Self {
        let configured = if config.async_clones.is_on() { CloneMode::Async } else { CloneMode::Sync };
        Self { control_environment: config.control_environment.clone(), configured }
    }

    /// How a clone is copied that an organisation asks for asynchronously, and why. Where nobody decides otherwise, as
    /// configured.
    pub async fn decide(&self, flags: &Flags, organisation: Uuid) -> (CloneMode, CloneModeReason) {
        let reason = match &self.control_environment {
            None => CloneModeReason::Configured,
            Some(key) => ask(flags, key, organisation).await,
        };
        match reason {
            CloneModeReason::ControlFlagEnabled => (CloneMode::Async, reason),
            CloneModeReason::ControlFlagDisabled => (CloneMode::Sync, reason),
            reason => (self.configured, reason),
        }
    }
}

async fn ask(flags: &Flags, key: &str, organisation: Uuid) -> CloneModeReason {
    let environment = match flags.access(key).await {
        Ok(access) => access.environment,
        Err(error) => {
            tracing::warn!(%error, "the control environment cannot be asked; clones are copied as configured");
            return CloneModeReason::ControlEnvironmentUnavailable;
        }
    };
    let identifier = organisation.to_string();
    let context = Context { identity: Some(Identity::new(&identifier)), traits: &[] };
    match environment.is_enabled(context, CONTROL_FEATURE) {
        Some(true) => CloneModeReason::ControlFlagEnabled,
        Some(false) => CloneModeReason::ControlFlagDisabled,
        None => CloneModeReason::ControlFlagMissing,
    }
}
