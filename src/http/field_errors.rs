//! What is wrong with the fields of a body, in the shapes that Flagsmith's clients read.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A text for whoever sent the request.
pub type Text = Cow<'static, str>;

/// The key under which errors stand that belong to no field.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// What is wrong with one field, or with the whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Messages {
    /// `["…", "…"]`: the usual form.
    Texts(Vec<Text>),
    /// `"…"`: the form of a few errors that Flagsmith raises by hand.
    Bare(Text),
    /// `{"field": …}`: the field holds an object.
    Fields(FieldErrors),
    /// `[{}, {"field": …}]`: the field holds a list of objects, and each has its own errors, or none.
    Items(Vec<FieldErrors>),
}

impl Messages {
    /// One text, in the usual form.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Texts(vec![text.into()])
    }

    /// One text that belongs to no field of an object.
    pub fn non_field(text: impl Into<Text>) -> Self {
        Self::Fields(FieldErrors::one(NON_FIELD_ERRORS, Self::text(text)))
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Bare(text) => text.serialize(serializer),
            Self::Fields(fields) => fields.serialize(serializer),
            Self::Items(items) => items.serialize(serializer),
        }
    }
}

/// The errors of an object's fields, in the order in which they were found; at most one entry a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(Text, Messages)>);

impl FieldErrors {
    /// The errors of one field.
    pub fn one(field: impl Into<Text>, messages: Messages) -> Self {
        Self(vec![(field.into(), messages)])
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is wrong with the field.
    #[must_use]
    pub fn contains(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    /// Adds what is wrong with a field. Texts join texts; beside anything else, the first error of a field stays.
    pub fn add(&mut self, field: impl Into<Text>, messages: Messages) {
        let field = field.into();
        match (self.0.iter_mut().find(|(name, _)| *name == field), messages) {
            (Some((_, Messages::Texts(known))), Messages::Texts(more)) => known.extend(more),
            (Some(_), _) => {}
            (None, messages) => self.0.push((field, messages)),
        }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, messages) in &self.0 {
            map.serialize_entry(field, messages)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldErrors, Messages};

    fn json(value: impl serde::Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn errors_stand_in_the_order_in_which_they_were_found() {
        let mut errors = FieldErrors::default();
        errors.add("feature", Messages::text("This field is required."));
        errors.add("environment", Messages::text("This field is required."));
        errors.add("feature", Messages::text("And more."));
        assert_eq!(
            json(&errors),
            r#"{"feature":["This field is required.","And more."],"environment":["This field is required."]}"#
        );
    }

    #[test]
    fn every_shape_of_flagsmith_can_be_written() {
        assert_eq!(json(Messages::text("a")), r#"["a"]"#);
        assert_eq!(json(Messages::non_field("a")), r#"{"non_field_errors":["a"]}"#);
        let nested = FieldErrors::one("rules", Messages::non_field("This list may not be empty."));
        assert_eq!(json(nested), r#"{"rules":{"non_field_errors":["This list may not be empty."]}}"#);
        let items = vec![FieldErrors::default(), FieldErrors::one("id", Messages::Bare("b".into()))];
        assert_eq!(json(Messages::Items(items)), r#"[{},{"id":"b"}]"#);
    }
}
