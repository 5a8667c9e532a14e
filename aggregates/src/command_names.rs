//! The names of commands, for metrics and traces.

use crate::environment::EnvironmentCommand;
use crate::id_allocator::IdAllocatorCommand;
use crate::organisation::OrganisationCommand;
use crate::project::ProjectCommand;

/// A command that knows its name.
pub trait NamedCommand {
    /// The name of the command's variant, such as `CopyFeatureStatesBatch`.
    fn name(&self) -> &'static str;
}

macro_rules! named {
    ($command:ident { $($variant:ident),+ $(,)? }) => {
        impl NamedCommand for $command {
            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }
            }
        }
    };
}

named!(IdAllocatorCommand { ReserveIds });
named!(OrganisationCommand { CreateOrganisation, IssueApiKey, RevokeApiKey, ReserveProjectName, ReleaseProjectName });
named!(ProjectCommand {
    CreateProject,
    ChangeProjectSettings,
    DeleteProject,
    CreateFeature,
    ImportFeatures,
    DescribeFeature,
    DeleteFeature,
    AddMultivariateOption,
    ChangeMultivariateOption,
    RemoveMultivariateOption,
    ReplaceMultivariateOptions,
    CreateSegment,
    ChangeSegment,
    DeleteSegment,
    ReserveEnvironmentName,
    ReserveEnvironmentRename,
    ReleaseEnvironmentName,
    GrantProjectPermission,
    RevokeProjectPermission,
});
named!(EnvironmentCommand {
    CreateEnvironment,
    RequestEnvironmentClone,
    CopyFeatureStatesBatch,
    CompleteClone,
    FailClone,
    RetryClone,
    CancelClone,
    RequestEnvironmentImport,
    ImportFeatureStates,
    ImportIdentityOverrides,
    CompleteImport,
    SetFeatureState,
    AddSegmentOverride,
    SetSegmentOverride,
    ReorderSegmentOverrides,
    RemoveSegmentOverride,
    AddIdentity,
    RemoveIdentity,
    SetIdentityOverride,
    RemoveIdentityOverride,
    IssueServerKey,
    ChangeServerKey,
    RevokeServerKey,
    ChangeEnvironmentSettings,
    GrantEnvironmentPermission,
    RevokeEnvironmentPermission,
    DeleteEnvironment,
});
