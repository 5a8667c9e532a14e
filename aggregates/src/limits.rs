//! The limits of what people may enter, each with its unit and the source of the figure.

/// Characters in the name of an organisation, project, environment, feature or segment (Flagsmith's column size).
pub const NAME_CHARACTERS_MAX: usize = 2_000;

/// Characters in a project's rule for the names of features (Flagsmith's column size).
pub const FEATURE_NAME_REGEX_CHARACTERS_MAX: usize = 255;

/// Characters in a feature's string value (Flagsmith's limit).
pub const STRING_VALUE_CHARACTERS_MAX: usize = 20_000;

/// Characters in a description (ours: as long as a value may be).
pub const DESCRIPTION_CHARACTERS_MAX: usize = 20_000;

/// Characters in an environment's banner (Flagsmith's column size).
pub const BANNER_TEXT_CHARACTERS_MAX: usize = 255;

/// Characters in an environment's banner colour, `#rrggbb` (Flagsmith's column size).
pub const BANNER_COLOUR_CHARACTERS_MAX: usize = 7;

/// Characters in an environment's client key, if the caller chooses one (Flagsmith's column size).
pub const API_KEY_CHARACTERS_MAX: usize = 100;

/// Characters in a multivariate option's key (Flagsmith's column size).
pub const OPTION_KEY_CHARACTERS_MAX: usize = 255;

/// Characters in a property or a value of a segment's condition (Flagsmith's column size).
pub const CONDITION_CHARACTERS_MAX: usize = 1_000;

/// Rules and conditions in one segment (Flagsmith's limit).
pub const SEGMENT_CONDITIONS_MAX: usize = 100;

/// Levels of rules in one segment: a rule, and rules in it (Flagsmith's form).
pub const SEGMENT_DEPTH_MAX: usize = 2;

/// Multivariate options of one feature (ours: the buckets of one walk over the allocations stay cheap).
pub const MULTIVARIATE_OPTIONS_MAX: usize = 100;

/// Environments of one project, deleted ones not counted (ours: a new feature gets a state in each, in one event).
pub const ENVIRONMENTS_MAX: usize = 1_000;

/// Characters in an identity's identifier (Flagsmith's column size).
pub const IDENTIFIER_CHARACTERS_MAX: usize = 2_000;

/// Identities of one environment (ours: those that are known here are the ones with overrides, and every node keeps all
/// overrides of an environment in memory).
pub const IDENTITIES_MAX: usize = 100_000;

/// Identity overrides of one environment, those of deleted features counted (ours: as [`IDENTITIES_MAX`]; a rule for many
/// people is a segment).
pub const IDENTITY_OVERRIDES_MAX: usize = 100_000;

/// Server-side keys of one environment, revoked ones not counted (ours: one for each service that asks, and to spare).
pub const SERVER_KEYS_MAX: usize = 100;

/// Characters in the name of a server-side key (Flagsmith's column size).
pub const SERVER_KEY_NAME_CHARACTERS_MAX: usize = 100;

/// Features or states in one batch event (ours: below this the cost is syncs, above it nothing is gained; see `ARCHITECTURE.md`).
pub const BATCH_SIZE_MAX: usize = 5_000;

/// Percent that a feature's allocations may sum to.
pub const PERCENTAGES_MAX: f64 = 100.0;
