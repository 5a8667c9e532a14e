//! The figures of a benchmark: minimum, median and maximum of each, as a table or as JSON.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// Named series of measurements, in order.
#[derive(Debug, Default)]
pub struct Figures {
    facts: Vec<(&'static str, Value)>,
    series: Vec<(Cow<'static, str>, &'static str, Vec<f64>)>,
}

impl Figures {
    /// Says what was measured.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        self.facts.push((name, value.into()));
    }

    /// Adds one measurement of a figure.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, unit: &'static str, value: f64) {
        let name = name.into();
        match self.series.iter_mut().find(|(known, ..)| *known == name) {
            Some((.., values)) => values.push(value),
            None => self.series.push((name, unit, vec![value])),
        }
    }

    /// Prints them.
    #[allow(clippy::print_stdout, reason = "the figures are what a benchmark is run for")]
    pub fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.to_json());
            return;
        }
        for (name, value) in &self.facts {
            println!("{name}: {value}");
        }
        println!("{:<66} {:>14} {:>14} {:>14}", "", "minimum", "median", "maximum");
        for (name, unit, values) in &self.series {
            let (min, median, max) = spread(values);
            println!("{:<66} {min:>14.3} {median:>14.3} {max:>14.3}", format!("{name} ({unit})"));
        }
    }

    fn to_json(&self) -> Value {
        let mut object: Map<String, Value> =
            self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for (name, unit, values) in &self.series {
            let (min, median, max) = spread(values);
            let figure =
                json!({ "unit": unit, "minimum": min, "median": median, "maximum": max, "runs": values.len() });
            object.insert(name.clone().into_owned(), figure);
        }
        Value::Object(object)
    }
}

/// The time within which this part of all is.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a list, from a part of its length"
)]
pub fn percentile(times: &[Duration], part: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (part * sorted.len() as f64) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Minimum, median and maximum; of an even number of values the median is the mean of the two in the middle.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.first(), sorted.last()) {
        (Some(min), Some(max)) if sorted.len() % 2 == 1 => (*min, sorted[middle], *max),
        (Some(min), Some(max)) => (*min, f64::midpoint(sorted[middle - 1], sorted[middle]), *max),
        _ => (f64::NAN, f64::NAN, f64::NAN),
    }
}
