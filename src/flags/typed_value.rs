//! The value of a flag as OFREP's clients want it: of a type of its own, and left out where the flag is off.

use offshoot_aggregates::environment::{FeatureValue, ValueType};
use serde_json::Value;

use super::json;

/// The members `variant` and `value` of an evaluation, as `"variant":"…","value":…`.
///
/// A feature without a value is a switch: its value is whether it is on. The value of a feature that has one is left out
/// while the feature is off, by which OFREP says that the client's own default counts.
pub(super) fn evaluation(is_enabled: bool, value: &FeatureValue, variant: &str) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"\"variant\":");
    json::text(&mut out, variant);
    let is_switch = match value.value_type {
        ValueType::Unicode => value.string_value.is_none(),
        ValueType::Int => value.integer_value.is_none(),
        ValueType::Bool => value.boolean_value.is_none(),
    };
    if is_switch {
        out.extend_from_slice(b",\"value\":");
        json::plain(&mut out, is_enabled);
    } else if is_enabled {
        out.extend_from_slice(b",\"value\":");
        typed(&mut out, value);
    }
    out
}

/// Flagsmith has texts, integers of 32 bits and booleans. A text that is the JSON of an object, of an array, or of a number in
/// its shortest form stands for that object, array or number, because people have no other way to say it. `1.10` stays a
/// text, and so does `1`, which could have been an integer.
fn typed(out: &mut Vec<u8>, value: &FeatureValue) {
    match value.string_value.as_deref() {
        Some(text) if value.value_type == ValueType::Unicode && is_json(text) => out.extend_from_slice(text.as_bytes()),
        _ => json::value(out, value),
    }
}

fn is_json(text: &str) -> bool {
    // Nearly all texts differ in the first byte from what is looked for.
    let may_be = text.starts_with(|first: char| matches!(first, '{' | '[' | '-') || first.is_ascii_digit());
    may_be
        && match serde_json::from_str(text) {
            Ok(Value::Object(_) | Value::Array(_)) => true,
            Ok(Value::Number(number)) => number.to_string() == text && text.parse::<i32>().is_err(),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(is_enabled: bool, value: &FeatureValue) -> String {
        String::from_utf8(evaluation(is_enabled, value, "v")).unwrap()
    }

    #[test]
    fn a_text_keeps_its_kind_unless_it_is_json_of_another() {
        let of = |text| evaluated(true, &FeatureValue::text(Some(text)));
        assert_eq!(of("hello"), r#""variant":"v","value":"hello""#);
        assert_eq!(of("1.5"), r#""variant":"v","value":1.5"#);
        assert_eq!(of("3.0"), r#""variant":"v","value":3.0"#);
        assert_eq!(of("5000000000"), r#""variant":"v","value":5000000000"#);
        assert_eq!(of("1.10"), r#""variant":"v","value":"1.10""#);
        assert_eq!(of("7"), r#""variant":"v","value":"7""#);
        assert_eq!(of("007"), r#""variant":"v","value":"007""#);
        assert_eq!(of("true"), r#""variant":"v","value":"true""#);
        assert_eq!(of(r#"{"a":[1]}"#), r#""variant":"v","value":{"a":[1]}"#);
        assert_eq!(of("{broken"), r#""variant":"v","value":"{broken""#);
    }

    #[test]
    fn a_switch_has_a_value_also_when_it_is_off_and_other_flags_have_none() {
        assert_eq!(evaluated(false, &FeatureValue::default()), r#""variant":"v","value":false"#);
        assert_eq!(evaluated(true, &FeatureValue::default()), r#""variant":"v","value":true"#);
        assert_eq!(evaluated(false, &FeatureValue::integer(3)), r#""variant":"v""#);
        assert_eq!(evaluated(true, &FeatureValue::integer(3)), r#""variant":"v","value":3"#);
        assert_eq!(evaluated(true, &FeatureValue::boolean(false)), r#""variant":"v","value":false"#);
    }
}
