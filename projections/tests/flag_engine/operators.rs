//! What each operator says, by the type of the trait.

use offshoot_aggregates::project::SegmentOperator as O;
use offshoot_projections::flag_engine::TraitValue as T;

use super::scenario::answer;

#[test]
fn a_trait_that_is_missing_or_null_answers_only_is_not_set() {
    for operator in [
        O::Equal,
        O::NotEqual,
        O::GreaterThan,
        O::GreaterThanInclusive,
        O::LessThan,
        O::LessThanInclusive,
        O::Contains,
        O::NotContains,
        O::Regex,
        O::PercentageSplit,
        O::Modulo,
        O::IsSet,
        O::In,
    ] {
        assert!(!answer(operator, "100", None), "{operator:?}");
        assert!(!answer(operator, "100", Some(T::Null)), "{operator:?}");
    }
    assert!(answer(O::IsNotSet, "", None));
    assert!(answer(O::IsNotSet, "", Some(T::Null)));
    assert!(!answer(O::IsNotSet, "", Some(T::Text(""))));
    assert!(answer(O::IsSet, "", Some(T::Text(""))));
}
