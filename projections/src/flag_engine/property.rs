//! What a condition asks of: a trait by its name, or a member of the context by a JSON path such as `$.identity.key`.

use super::json_path::member_names;

/// A condition's property.
#[derive(Debug)]
pub(super) struct Property {
    /// The trait of this name comes first, also where the name is a path.
    pub(super) trait_name: Option<Box<str>>,
    /// The member that the path selects.
    pub(super) member: Option<Member>,
}

/// A member of the context that conditions can ask of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// `$.environment.key`
    EnvironmentKey,
    /// `$.environment.name`
    EnvironmentName,
    /// `$.identity.identifier`
    IdentityIdentifier,
    /// `$.identity.key`
    IdentityKey,
    /// `$.identity.traits.NAME`
    Trait(Box<str>),
    /// `$.features.NAME.…`: the environment's default.
    Feature(Box<str>, FeatureMember),
    /// `$.flags.NAME.…`: what the feature is for this context.
    Flag(Box<str>, FlagMember),
}

/// What can be asked of a feature's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeatureMember {
    /// The seed of its state.
    Key,
    Name,
    Enabled,
    Value,
}

/// What can be asked of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlagMember {
    Name,
    Enabled,
    Value,
    Variant,
    Reason,
    /// Nothing that has a value. That it is asked for still matters where flags depend on each other.
    Other,
}

impl Property {
    /// A trait, or a path if it begins like one.
    pub(super) fn new(name: &str) -> Self {
        let names = name.strip_prefix('$').filter(|path| path.starts_with('.')).and_then(member_names);
        Self { trait_name: Some(name.into()), member: names.and_then(|names| Member::new(&names)) }
    }

    /// The key of the identity, and no trait.
    pub(super) fn identity_key() -> Self {
        Self { trait_name: None, member: Some(Member::IdentityKey) }
    }
}

impl Member {
    fn new(names: &[String]) -> Option<Self> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Some(match names[..] {
            ["environment", "key"] => Self::EnvironmentKey,
            ["environment", "name"] => Self::EnvironmentName,
            ["identity", "identifier"] => Self::IdentityIdentifier,
            ["identity", "key"] => Self::IdentityKey,
            ["identity", "traits", name] => Self::Trait(name.into()),
            ["features", feature, "key"] => Self::Feature(feature.into(), FeatureMember::Key),
            ["features", feature, "name"] => Self::Feature(feature.into(), FeatureMember::Name),
            ["features", feature, "enabled"] => Self::Feature(feature.into(), FeatureMember::Enabled),
            ["features", feature, "value"] => Self::Feature(feature.into(), FeatureMember::Value),
            ["flags", feature, "name"] => Self::Flag(feature.into(), FlagMember::Name),
            ["flags", feature, "enabled"] => Self::Flag(feature.into(), FlagMember::Enabled),
            ["flags", feature, "value"] => Self::Flag(feature.into(), FlagMember::Value),
            ["flags", feature, "variant"] => Self::Flag(feature.into(), FlagMember::Variant),
            ["flags", feature, "reason"] => Self::Flag(feature.into(), FlagMember::Reason),
            ["flags", feature, ..] => Self::Flag(feature.into(), FlagMember::Other),
            _ => return None,
        })
    }
}
