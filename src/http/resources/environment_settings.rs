//! The settings of an environment as a body gives them.

use offshoot_aggregates::environment::EnvironmentSettings;
use offshoot_aggregates::limits::{
    BANNER_COLOUR_CHARACTERS_MAX, BANNER_TEXT_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX,
};
use utoipa::ToSchema;

use crate::http::fields::Fields;
use crate::http::kinds;

/// The settings, changed as the fields ask; what is not asked for stays.
pub(super) fn changed(mut settings: EnvironmentSettings, fields: &mut Fields) -> EnvironmentSettings {
    if let Some(name) = fields.optional("name", kinds::text(NAME_CHARACTERS_MAX)) {
        settings.name = name;
    }
    for (name, text, max) in [
        ("description", &mut settings.description, DESCRIPTION_CHARACTERS_MAX),
        ("banner_text", &mut settings.banner_text, BANNER_TEXT_CHARACTERS_MAX),
        ("banner_colour", &mut settings.banner_colour, BANNER_COLOUR_CHARACTERS_MAX),
    ] {
        if let Some(new) = fields.nullable(name, kinds::text(max).or_blank()) {
            *text = new;
        }
    }
    for (name, switch) in [
        ("allow_client_traits", &mut settings.allow_client_traits),
        ("use_identity_composite_key_for_hashing", &mut settings.use_identity_composite_key_for_hashing),
        ("hide_sensitive_data", &mut settings.hide_sensitive_data),
        ("use_identity_overrides_in_local_eval", &mut settings.use_identity_overrides_in_local_eval),
    ] {
        *switch = fields.optional(name, kinds::boolean()).unwrap_or(*switch);
    }
    if let Some(hide) = fields.nullable("hide_disabled_flags", kinds::boolean()) {
        settings.hide_disabled_flags = hide;
    }
    let approvals = kinds::integer(0, i32::MAX.into());
    if let Some(approvals) = fields.nullable("minimum_change_request_approvals", approvals) {
        settings.minimum_change_request_approvals =
            approvals.map(|approvals| i32::try_from(approvals).unwrap_or(i32::MAX));
    }
    settings
}

/// An environment as it shall be.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub(super) struct EnvironmentBody {
    /// Its name, at most 2,000 characters; unique in the project.
    name: String,
    /// The integer id of its project; nothing but a new environment takes it.
    project: i64,
    /// The client key of a new environment: letters, digits, `-` and `_`; a random one if none is given.
    api_key: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Approvals that a change request needs.
    minimum_change_request_approvals: Option<i32>,
    /// Whether clients with a client key may send traits.
    allow_client_traits: Option<bool>,
    /// A text shown above the environment, at most 255 characters.
    banner_text: Option<String>,
    /// The banner's colour, `#rrggbb`.
    banner_colour: Option<String>,
    /// Whether disabled flags are left out of answers; null means as the project says.
    hide_disabled_flags: Option<bool>,
    /// Whether identities are hashed by environment key and identifier.
    use_identity_composite_key_for_hashing: Option<bool>,
    /// Whether ids and defaults are left out of answers.
    hide_sensitive_data: Option<bool>,
    /// Whether identity overrides are sent to clients that evaluate by themselves.
    use_identity_overrides_in_local_eval: Option<bool>,
}
