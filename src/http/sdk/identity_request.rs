//! What a request says of an identity: its identifier and its traits.

use std::borrow::Cow;
use std::fmt;

use axum::body::Bytes;
use axum::http::header;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::http::fields::Fields;
use crate::http::kinds::{boolean, text};
use crate::http::lean::Asked;
use crate::http::problem::Problem;
use crate::http::requested_value::{BorrowedText, RequestedValue};
use crate::limits::{IDENTIFIER_CHARACTERS_MAX, TRAIT_VALUE_CHARACTERS_MAX, TRAITS_MAX};
use crate::secrets::hex_digits;

/// An identity as a request names it.
#[derive(Debug, Default)]
pub(super) struct IdentityRequest<'a> {
    /// What the client calls it; nothing if it is anonymous.
    pub(super) identifier: Option<Cow<'a, str>>,
    /// What the client knows of it.
    pub(super) traits: Vec<TraitRequest<'a>>,
}

/// A trait as a request names it.
#[derive(Debug)]
pub(super) struct TraitRequest<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) value: RequestedValue<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for IdentityRequest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IdentityVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TraitRequest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TraitVisitor)
    }
}

struct IdentityVisitor;

impl<'de> Visitor<'de> for IdentityVisitor {
    type Value = IdentityRequest<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut request = IdentityRequest::default();
        while let Some(name) = members.next_key::<BorrowedText<'de>>()? {
            match name.0.as_ref() {
                "identifier" => {
                    request.identifier = members.next_value::<Option<BorrowedText<'de>>>()?.map(|text| text.0);
                }
                "traits" => request.traits = members.next_value::<Option<_>>()?.unwrap_or_default(),
                "transient" => drop(members.next_value::<Option<bool>>()?),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(request)
    }
}

struct TraitVisitor;

impl<'de> Visitor<'de> for TraitVisitor {
    type Value = TraitRequest<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trait")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut key, mut value) = (None, None);
        while let Some(name) = members.next_key::<BorrowedText<'de>>()? {
            match name.0.as_ref() {
                "trait_key" => key = Some(members.next_value::<BorrowedText<'de>>()?.0),
                "trait_value" => value = Some(members.next_value()?),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let key = key.ok_or_else(|| A::Error::missing_field("trait_key"))?;
        Ok(TraitRequest { key, value: value.ok_or_else(|| A::Error::missing_field("trait_value"))? })
    }
}

impl<'a> IdentityRequest<'a> {
    /// Reads a request's body.
    ///
    /// # Errors
    /// 400: it is malformed, or something in it is; 415 if it is not JSON.
    pub(super) async fn read(asked: &Asked, body: &'a Bytes) -> Result<Self, Problem> {
        let content_type = asked.header(header::CONTENT_TYPE);
        let is_json = content_type.is_some_and(|sent| sent.starts_with("application/json"));
        if is_json
            && let Ok(request) = serde_json::from_slice::<Self>(body)
            && request.is_valid()
        {
            return Ok(request);
        }
        // What is not as usual is read again, with time for telling what is wrong.
        Self::read_fields(Fields::from_bytes(content_type, body.clone()).await?)
    }

    fn is_valid(&self) -> bool {
        let has_nul = |text: &str| text.contains('\0');
        let is_valid = |item: &TraitRequest<'_>| {
            !item.value.is_too_long()
                && !has_nul(&item.key)
                && !matches!(&item.value, RequestedValue::Text(text) if has_nul(text))
        };
        let identifier = self.identifier.as_deref().unwrap_or_default();
        identifier.len() <= IDENTIFIER_CHARACTERS_MAX
            && !has_nul(identifier)
            && self.traits.len() <= TRAITS_MAX
            && self.traits.iter().all(is_valid)
    }

    fn read_fields(mut fields: Fields) -> Result<Self, Problem> {
        let identifier = fields.nullable("identifier", text(IDENTIFIER_CHARACTERS_MAX).verbatim()).flatten();
        fields.nullable("transient", boolean());
        let traits = if fields.raw("traits").is_some_and(|traits| !traits.is_null()) {
            fields.objects("traits", read_trait).unwrap_or_default()
        } else {
            Vec::new()
        };
        if traits.len() > TRAITS_MAX {
            fields.fail("traits", format!("At most {TRAITS_MAX} traits are read."));
        }
        fields.finish()?;
        Ok(Self { identifier: identifier.map(Cow::Owned), traits })
    }

    /// What the identity is called, as the answer says it too: a name made of its traits, or of chance, if it has none.
    pub(super) fn identifier(&self) -> Cow<'_, str> {
        match self.identifier.as_deref() {
            Some(identifier) if !identifier.is_empty() => Cow::Borrowed(identifier),
            _ if self.traits.is_empty() => Cow::Owned(Uuid::new_v4().simple().to_string()),
            _ => Cow::Owned(self.hash_of_traits()),
        }
    }

    fn hash_of_traits(&self) -> String {
        let mut traits: Vec<_> = self.traits.iter().collect();
        traits.sort_by(|one, other| one.key.cmp(&other.key));
        let mut hash = Sha256::new();
        for item in traits {
            hash.update(item.key.as_bytes());
            hash.update(item.value.as_python().as_bytes());
        }
        hex_digits(&hash.finalize())
    }
}

/// Reads a trait with its errors told.
pub(super) fn read_trait(fields: &mut Fields) -> TraitRequest<'static> {
    let key = fields.required("trait_key", text(IDENTIFIER_CHARACTERS_MAX).verbatim());
    fields.require(&["trait_value"]);
    let value = RequestedValue::from(fields.raw("trait_value").cloned().unwrap_or_default());
    if value.is_too_long() {
        let text = format!("Value string is too long. Must be less than {TRAIT_VALUE_CHARACTERS_MAX} character");
        fields.fail("trait_value", text);
    }
    TraitRequest { key: Cow::Owned(key), value }
}
