//! How the states of a clone are copied, and why so.

use serde::{Deserialize, Serialize};

/// How the states of a clone are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloneMode {
    /// In batches, after the request was answered.
    Async,
    /// All at once, before the request is answered.
    Sync,
}

/// Why a clone is copied as it is that was asked for asynchronously. Stands in the metadata of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloneModeReason {
    /// The control flag is on for the organisation: asynchronously.
    ControlFlagEnabled,
    /// The control flag is off for the organisation: synchronously.
    ControlFlagDisabled,
    /// The control environment has no such flag: as configured.
    ControlFlagMissing,
    /// The control environment cannot be asked: as configured.
    ControlEnvironmentUnavailable,
    /// There is no control environment: as configured.
    Configured,
    /// It would be synchronous, but has too many states to wait for: asynchronously all the same.
    TooManyStates,
}

impl CloneModeReason {
    const ALL: [Self; 6] = [
        Self::ControlFlagEnabled,
        Self::ControlFlagDisabled,
        Self::ControlFlagMissing,
        Self::ControlEnvironmentUnavailable,
        Self::Configured,
        Self::TooManyStates,
    ];

    /// The name used in the log and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlFlagEnabled => "control_flag_enabled",
            Self::ControlFlagDisabled => "control_flag_disabled",
            Self::ControlFlagMissing => "control_flag_missing",
            Self::ControlEnvironmentUnavailable => "control_environment_unavailable",
            Self::Configured => "configured",
            Self::TooManyStates => "too_many_states",
        }
    }

    /// The reason that the log calls by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
