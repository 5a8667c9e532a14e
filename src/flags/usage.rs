//! How often flags were evaluated, as clients report it: counted in memory since the start of the process, and as metrics.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use metrics::Counter;
use offshoot_aggregates::ids::EnvironmentId;

use crate::clock;
use crate::limits::{USAGE_COUNT_MAX, USAGE_COUNTERS_MAX};

/// How often the flags of all environments were evaluated.
pub struct Usage {
    since: Timestamp,
    counted: Mutex<Counted>,
    /// What finds no place of its own any more.
    uncounted: Counter,
}

#[derive(Default)]
struct Counted {
    environments: HashMap<EnvironmentId, HashMap<Box<str>, Evaluations>>,
    counters: usize,
}

struct Evaluations {
    count: FeatureUsage,
    metric: Counter,
}

/// How often one flag was evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeatureUsage {
    /// How often.
    pub evaluations: u64,
    /// How often of these it was on, as far as clients say.
    pub enabled: u64,
    /// When it was last reported.
    pub last_reported_at: Timestamp,
}

/// What a client reports of one flag.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The feature's name.
    pub feature: &'a str,
    /// How often it was evaluated; more than [`USAGE_COUNT_MAX`] at once is taken for that.
    pub count: u64,
    /// Whether it was on, if the client says.
    pub was_enabled: Option<bool>,
}

impl Default for Usage {
    fn default() -> Self {
        let uncounted = metrics::counter!("offshoot_flag_evaluations_uncounted_total");
        Self { since: clock::now(), counted: Mutex::default(), uncounted }
    }
}

impl Usage {
    /// From when on there are counts.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Counts what a client reports of the features of an environment. The caller knows that there are such features.
    pub fn count<'a>(&self, environment: EnvironmentId, reports: impl IntoIterator<Item = Report<'a>>) {
        let now = clock::now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for report in reports {
            let count = report.count.min(USAGE_COUNT_MAX);
            let Some(evaluations) = counted.of(environment, report.feature) else {
                self.uncounted.increment(count);
                continue;
            };
            evaluations.metric.increment(count);
            let usage = &mut evaluations.count;
            usage.evaluations = usage.evaluations.saturating_add(count);
            if report.was_enabled == Some(true) {
                usage.enabled = usage.enabled.saturating_add(count);
            }
            usage.last_reported_at = now;
        }
    }

    /// How often each flag of an environment was evaluated, in order of the features' names.
    #[must_use]
    pub fn of(&self, environment: EnvironmentId) -> Vec<(String, FeatureUsage)> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let features = counted.environments.get(&environment).into_iter().flatten();
        let mut usage: Vec<_> = features.map(|(name, evaluations)| (name.to_string(), evaluations.count)).collect();
        usage.sort_by(|one, other| one.0.cmp(&other.0));
        usage
    }

    /// Forgets an environment that is gone.
    pub fn forget(&self, environment: EnvironmentId) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        // The metrics stay, and with them the places: a series of metrics is never taken back.
        counted.environments.remove(&environment);
    }
}

impl Counted {
    /// The place of a feature; none if there are no more.
    fn of(&mut self, environment: EnvironmentId, feature: &str) -> Option<&mut Evaluations> {
        let features = self.environments.entry(environment).or_default();
        if !features.contains_key(feature) {
            if self.counters >= USAGE_COUNTERS_MAX {
                return None;
            }
            self.counters += 1;
            let labels = [("environment", environment.to_string()), ("feature", feature.to_owned())];
            let metric = metrics::counter!("offshoot_flag_evaluations_total", &labels);
            features.insert(feature.into(), Evaluations { count: FeatureUsage::default(), metric });
        }
        features.get_mut(feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_add_up_and_never_overflow() {
        let usage = Usage::default();
        let environment = EnvironmentId(1);
        let report = |count| Report { feature: "banner", count, was_enabled: Some(true) };
        usage.count(environment, [report(3), report(u64::MAX)]);
        let (name, counted) = usage.of(environment).pop().unwrap();
        assert_eq!(name, "banner");
        assert_eq!(counted.evaluations, USAGE_COUNT_MAX + 3);
        assert_eq!(counted.enabled, USAGE_COUNT_MAX + 3);
        assert!(usage.of(EnvironmentId(2)).is_empty());
        usage.forget(environment);
        assert!(usage.of(environment).is_empty());
    }

    #[test]
    fn there_are_never_more_counters_than_the_limit() {
        let usage = Usage::default();
        let names: Vec<String> = (0..=USAGE_COUNTERS_MAX).map(|number| number.to_string()).collect();
        let reports = names.iter().map(|name| Report { feature: name, count: 1, was_enabled: None });
        usage.count(EnvironmentId(1), reports);
        assert_eq!(usage.of(EnvironmentId(1)).len(), USAGE_COUNTERS_MAX);
    }
}
