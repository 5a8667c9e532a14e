//! Reading a body or a query field by field. What is wrong is collected, so that one answer names all of it.
//!
//! ```
//! # use offshoot::http::{fields::Fields, kinds, problem::Problem};
//! # fn read(mut fields: Fields) -> Result<(), Problem> {
//! let name = fields.required("name", kinds::text(2_000));
//! let asynchronous = fields.optional("clone_feature_states_async", kinds::boolean()).unwrap_or(false);
//! let banner = fields.nullable("banner_text", kinds::text(255).or_blank());
//! fields.finish()?;
//! // From here all of it is valid.
//! # Ok(()) }
//! ```

use serde_json::{Map, Value};

use super::field_errors::{FieldErrors, Messages, NON_FIELD_ERRORS, Text};
use super::kinds::{Kind, type_name};
use super::problem::Problem;

const REQUIRED: &str = "This field is required.";
const NOT_NULL: &str = "This field may not be null.";
const NUL: &str = "Null characters are not allowed.";

/// The members of an object that came in, and what is wrong with them so far.
///
/// Fields that nobody asks for are ignored, but for one rule: a NUL character anywhere in an object is an error of the
/// member it is in, because not every store can keep it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    members: Map<String, Value>,
    is_form: bool,
    errors: FieldErrors,
}

enum Found<V> {
    Missing,
    Null,
    Bad,
    Value(V),
}

impl Fields {
    /// The fields of a JSON object.
    #[must_use]
    pub fn from_object(members: Map<String, Value>) -> Self {
        let errors = nul_errors(&members);
        Self { members, is_form: false, errors }
    }

    /// The fields of an encoded form or a query.
    #[must_use]
    pub fn from_form(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded);
        Self::from_texts(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    /// The fields of a form, whose values are texts; a repeated one is a list.
    #[must_use]
    pub fn from_texts(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut members: Map<String, Value> = Map::new();
        for (name, value) in pairs {
            let value = Value::String(value);
            match members.get_mut(&name) {
                None => {
                    members.insert(name, value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(known) => *known = Value::Array(vec![known.take(), value]),
            }
        }
        Self { is_form: true, ..Self::from_object(members) }
    }

    /// The fields of any JSON value.
    ///
    /// # Errors
    /// It is no object.
    pub fn from_value(value: Value) -> Result<Self, Messages> {
        match value {
            Value::Object(members) => Ok(Self::from_object(members)),
            other => {
                let text = format!("Invalid data. Expected a dictionary, but got {}.", type_name(&other));
                Err(Messages::non_field(text))
            }
        }
    }

    /// Whether the field is there, be it `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The field as it came, if it is there.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Fields that must be there: for a PUT, whose fields are otherwise read as those of a PATCH.
    pub fn require(&mut self, names: &[&'static str]) {
        for name in names {
            if !self.has(name) {
                self.fail(name, REQUIRED);
            }
        }
    }

    /// A field that must be there and not be `null`. If something is wrong with it, the default of its type: a value that
    /// nobody sees, because [`Fields::finish`] fails.
    pub fn required<K: Kind<Value: Default>>(&mut self, name: &'static str, kind: K) -> K::Value {
        self.require(&[name]);
        self.optional(name, kind).unwrap_or_default()
    }

    /// A field that may be missing, but not be `null`. `None` also if something is wrong with it.
    pub fn optional<K: Kind>(&mut self, name: &'static str, kind: K) -> Option<K::Value> {
        match self.find(name, &kind) {
            Found::Value(value) => Some(value),
            Found::Null => {
                self.fail(name, NOT_NULL);
                None
            }
            Found::Missing | Found::Bad => None,
        }
    }

    /// A field that may be missing (`None`) or be `null` (`Some(None)`).
    pub fn nullable<K: Kind>(&mut self, name: &'static str, kind: K) -> Option<Option<K::Value>> {
        match self.find(name, &kind) {
            Found::Value(value) => Some(Some(value)),
            Found::Null => Some(None),
            Found::Missing | Found::Bad => None,
        }
    }

    /// A field that holds an object, and may be missing, but not be `null`. `None` also if something is wrong in it.
    pub fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let value = self.found(name)?;
        match read_object(value, read) {
            Ok(value) => Some(value),
            Err(messages) => {
                self.errors.add(name, messages);
                None
            }
        }
    }

    /// A field that holds a list of objects, and may be missing, but not be `null`. `None` also if something is wrong in
    /// one of them; then each has its errors at its place.
    pub fn objects<T>(&mut self, name: &'static str, read: impl FnMut(&mut Self) -> T) -> Option<Vec<T>> {
        let value = self.found(name)?;
        match read_objects(value, read) {
            Ok(values) => Some(values),
            Err(messages) => {
                self.errors.add(name, messages);
                None
            }
        }
    }

    /// Notes something that is wrong with a field, found by whoever reads it.
    pub fn fail(&mut self, name: &'static str, text: impl Into<Text>) {
        self.errors.add(name, Messages::text(text));
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Something was wrong; all of it.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.into()) }
    }

    fn find<K: Kind>(&mut self, name: &'static str, kind: &K) -> Found<K::Value> {
        if self.errors.contains(name) {
            return Found::Bad;
        }
        let Some(value) = self.members.get(name) else { return Found::Missing };
        let read = match value {
            Value::Null => return Found::Null,
            Value::String(text) if self.is_form && text.is_empty() && !K::IS_TEXT => return Found::Missing,
            Value::String(_) if self.is_form && K::IS_LIST => kind.read(&Value::Array(vec![value.clone()])),
            Value::Array(values) if self.is_form && !K::IS_LIST => kind.read(values.last().unwrap_or(&Value::Null)),
            value => kind.read(value),
        };
        match read {
            Ok(value) => Found::Value(value),
            Err(messages) => {
                self.errors.add(name, messages);
                Found::Bad
            }
        }
    }

    /// Takes out a field that holds more than a plain value.
    fn found(&mut self, name: &'static str) -> Option<Value> {
        if self.errors.contains(name) {
            return None;
        }
        let value = self.members.get_mut(name).map(Value::take)?;
        if value.is_null() {
            self.fail(name, NOT_NULL);
            return None;
        }
        Some(value)
    }
}

/// Reads an object.
pub(super) fn read_object<T>(value: Value, read: impl FnOnce(&mut Fields) -> T) -> Result<T, Messages> {
    let mut fields = Fields::from_value(value)?;
    let value = read(&mut fields);
    if fields.is_valid() { Ok(value) } else { Err(Messages::Fields(fields.errors)) }
}

/// Reads a list of objects.
pub(super) fn read_objects<T>(value: Value, mut read: impl FnMut(&mut Fields) -> T) -> Result<Vec<T>, Messages> {
    let Value::Array(items) = value else {
        let text = format!("Expected a list of items but got type \"{}\".", type_name(&value));
        return Err(Messages::non_field(text));
    };
    let mut values = Vec::with_capacity(items.len());
    let mut errors = Vec::with_capacity(items.len());
    let mut is_valid = true;
    for item in items {
        match read_object(item, &mut read) {
            Ok(value) => {
                values.push(value);
                errors.push(FieldErrors::default());
            }
            Err(messages) => {
                is_valid = false;
                errors.push(match messages {
                    Messages::Fields(fields) => fields,
                    messages => FieldErrors::one(NON_FIELD_ERRORS, messages),
                });
            }
        }
    }
    if is_valid { Ok(values) } else { Err(Messages::Items(errors)) }
}

fn nul_errors(members: &Map<String, Value>) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (name, value) in members {
        if name.contains('\0') {
            errors.add(NON_FIELD_ERRORS, Messages::text(NUL));
        } else if has_nul(value) {
            errors.add(name.clone(), Messages::text(NUL));
        }
    }
    errors
}

/// As deep as the value is, which the JSON parser bounds.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
