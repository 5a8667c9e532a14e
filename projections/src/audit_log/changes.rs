//! What differs between before and after, field by field.

use std::collections::BTreeSet;

use offshoot_aggregates::environment::Allocation;
use offshoot_aggregates::permissions::Grant;
use offshoot_aggregates::project::MultivariateOption;
use serde::Serialize;
use serde_json::{Map, Value};

use super::line::ChangeDetail;

/// The field, if it changed.
pub(super) fn changed(field: &str, old: impl Into<Value>, new: impl Into<Value>) -> Option<ChangeDetail> {
    let (old, new) = (old.into(), new.into());
    (old != new).then(|| ChangeDetail { field: field.to_owned(), old, new, option: None })
}

/// The members that differ between two structures, as JSON has them, in order of their names.
pub(super) fn object_changes<T: Serialize>(before: &T, after: &T) -> Vec<ChangeDetail> {
    let (before, after) = (members(before), members(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let member = |object: &Map<String, Value>, name: &str| object.get(name).cloned().unwrap_or_default();
    names.into_iter().filter_map(|name| changed(name, member(&before, name), member(&after, name))).collect()
}

fn members<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The shares that differ, in order of the options' ids.
pub(super) fn percentage_changes(before: &[Allocation], after: &[Allocation]) -> Vec<ChangeDetail> {
    let share = |of: &[Allocation], option| of.iter().find(|own| own.option == option).map(|own| own.percentage);
    let options: BTreeSet<_> = before.iter().chain(after).map(|allocation| allocation.option).collect();
    let change = |option| {
        let detail = changed("percentage_allocation", share(before, option), share(after, option))?;
        Some(ChangeDetail { option: Some(option), ..detail })
    };
    options.into_iter().filter_map(change).collect()
}

/// What differs between two states of an option, the parts of its value one by one.
pub(super) fn option_changes(before: &MultivariateOption, after: &MultivariateOption) -> Vec<ChangeDetail> {
    let mut details = object_changes(before, after);
    details.retain(|detail| detail.field != "value");
    details.extend(object_changes(&before.value, &after.value));
    details
}

/// What differs between two grants to the same principal, either of which may be missing.
pub(super) fn grant_changes<P: Ord + Serialize>(
    before: Option<&Grant<P>>,
    after: Option<&Grant<P>>,
) -> Vec<ChangeDetail> {
    let permissions = |grant: Option<&Grant<P>>| {
        grant.map_or(Value::Null, |grant| serde_json::to_value(&grant.permissions).unwrap_or_default())
    };
    let admin = |grant: Option<&Grant<P>>| grant.map(|grant| grant.admin);
    let details = [
        changed("admin", admin(before), admin(after)),
        changed("permissions", permissions(before), permissions(after)),
    ];
    details.into_iter().flatten().collect()
}

/// What a grant allows: `admin`, or the names of the permissions.
pub(super) fn granted<P: Ord + Serialize>(grant: &Grant<P>) -> String {
    if grant.admin {
        return "admin".to_owned();
    }
    let names = serde_json::to_value(&grant.permissions).unwrap_or_default();
    let names: Vec<_> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
