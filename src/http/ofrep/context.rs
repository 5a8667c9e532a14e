//! The evaluation context that a request brings along: who is asking, and what is known of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::refusal::Refusal;
use crate::http::requested_value::{BorrowedText, RequestedValue};
use crate::limits::{IDENTIFIER_CHARACTERS_MAX, TRAITS_MAX};

/// A request for evaluations, in the parts that matter here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct EvaluationRequest<'a> {
    /// Who is asking: the identity.
    pub(super) targeting_key: Option<Cow<'a, str>>,
    /// What else is known: the identity's traits.
    pub(super) attributes: Vec<(Cow<'a, str>, RequestedValue<'a>)>,
}

impl<'a> EvaluationRequest<'a> {
    /// Reads a request's body. An empty one has no context, nor has one that does not name any.
    ///
    /// # Errors
    /// It is not JSON, or its context is none.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let request: Self = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() { Refusal::invalid_context(error) } else { Refusal::parse_error(error) }
        })?;
        let is_long = |text: &str| text.len() > IDENTIFIER_CHARACTERS_MAX;
        let key = request.targeting_key.as_deref().unwrap_or_default();
        if is_long(key) {
            return Err(Refusal::invalid_context(format!(
                "the targeting key has more than {IDENTIFIER_CHARACTERS_MAX} bytes"
            )));
        }
        if request.attributes.len() > TRAITS_MAX || request.attributes.iter().any(|(_, value)| value.is_too_long()) {
            return Err(Refusal::invalid_context("the context is too big"));
        }
        Ok(request)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for EvaluationRequest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = EvaluationRequest<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a context")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut request = None;
        while let Some(name) = members.next_key::<BorrowedText<'de>>()? {
            if name.0 == "context" {
                request = members.next_value::<Option<EvaluationContext<'de>>>()?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(request.map(|context| context.0).unwrap_or_default())
    }
}

/// The member `context`.
struct EvaluationContext<'a>(EvaluationRequest<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for EvaluationContext<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = EvaluationContext<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a context that is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut request = EvaluationRequest::default();
        while let Some(name) = members.next_key::<BorrowedText<'de>>()? {
            if name.0 == "targetingKey" {
                let key = members.next_value::<Option<BorrowedText<'de>>>()?;
                request.targeting_key = key.map(|key| key.0).filter(|key| !key.is_empty());
            } else {
                request.attributes.push((name.0, members.next_value()?));
            }
        }
        Ok(EvaluationContext(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> EvaluationRequest<'_> {
        EvaluationRequest::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_body_may_be_without_a_context_or_be_none() {
        for body in ["", "  ", "{}", r#"{"context":null}"#, r#"{"context":{}}"#, r#"{"other":[1]}"#] {
            assert_eq!(read(body), EvaluationRequest::default(), "{body}");
        }
    }

    #[test]
    fn the_targeting_key_is_no_trait_and_all_else_is_one() {
        let request = read(r#"{"context":{"plan":"go\"ld","targetingKey":"user","age":3,"tags":["a"],"ratio":3.0}}"#);
        assert_eq!(request.targeting_key.as_deref(), Some("user"));
        let attributes: Vec<_> =
            request.attributes.iter().map(|(name, value)| (name.as_ref(), value.clone())).collect();
        let expected = [
            ("plan", RequestedValue::Text("go\"ld".into())),
            ("age", RequestedValue::Integer(3)),
            ("tags", RequestedValue::Text("[\"a\"]".into())),
            ("ratio", RequestedValue::Float(3.0)),
        ];
        assert_eq!(attributes, expected);
    }

    #[test]
    fn what_is_no_json_and_what_is_no_context_are_told_apart() {
        let refusal = |body: &str| EvaluationRequest::read(body.as_bytes()).unwrap_err().code;
        assert_eq!(refusal("{"), Some("PARSE_ERROR"));
        assert_eq!(refusal("[1]"), Some("INVALID_CONTEXT"));
        assert_eq!(refusal(r#"{"context":"me"}"#), Some("INVALID_CONTEXT"));
        assert_eq!(refusal(r#"{"context":{"targetingKey":7}}"#), Some("INVALID_CONTEXT"));
        assert_eq!(refusal(r#"{"context":{"targetingKey":{}}}"#), Some("INVALID_CONTEXT"));
    }
}
