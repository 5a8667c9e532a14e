//! What a condition asks of: a trait by its name, or a member of the context by a JSON path such as `$.identity.key`.

/// A condition's property.
#[derive(Debug)]
pub(super) struct Property {
    /// The trait of this name comes first, also where the name is a path.
    pub(super) trait_name: Option<Box<str>>,
    /// The member that the path selects.
    pub(super) member: Option<Member>,
}

/// A member of the context that conditions can ask of.
#[derive(Debug)]
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
}

impl Property {
    pub(super) fn new(name: &str) -> Self {
        let path = name.strip_prefix("$.").map(|path| path.split('.').collect::<Vec<_>>());
        let member = match path.as_deref() {
            Some(["environment", "key"]) => Some(Member::EnvironmentKey),
            Some(["environment", "name"]) => Some(Member::EnvironmentName),
            Some(["identity", "identifier"]) => Some(Member::IdentityIdentifier),
            Some(["identity", "key"]) => Some(Member::IdentityKey),
            Some(["identity", "traits", name]) => Some(Member::Trait((*name).into())),
            _ => None,
        };
        Self { trait_name: Some(name.into()), member }
    }
}
