//! How long clones took, from the metrics of this server: what `/metrics` says, read again.

/// A histogram, as Prometheus has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// The upper bounds of its buckets in seconds, the last infinite, and how many were in each.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long they took together, in seconds.
    pub sum: f64,
}

impl Histogram {
    /// The histogram of this name with this mode among metrics as text; empty if it is not there.
    #[must_use]
    pub fn read(metrics: &str, name: &str, mode: &str) -> Self {
        let mode = format!("mode=\"{mode}\"");
        let mut histogram = Self::default();
        let mut cumulated = 0;
        for line in metrics.lines() {
            let Some((kind, labels, value)) = parts(line, name) else { continue };
            if !labels.split(',').any(|label| label == mode) {
                continue;
            }
            match kind {
                "_bucket" => {
                    let bound = labels.split(',').find_map(|label| label.strip_prefix("le=\"")?.strip_suffix('"'));
                    let bound =
                        bound.and_then(|bound| if bound == "+Inf" { Some(f64::INFINITY) } else { bound.parse().ok() });
                    let Some((bound, count)) = bound.zip(value.parse::<u64>().ok()) else { continue };
                    histogram.buckets.push((bound, count.saturating_sub(cumulated)));
                    cumulated = count;
                }
                "_count" => histogram.count = value.parse().unwrap_or(0),
                "_sum" => histogram.sum = value.parse().unwrap_or(0.0),
                _ => {}
            }
        }
        histogram
    }

    /// How long one took on average, in seconds; none if there was none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "nobody clones so often")]
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The bound that a share of them took no longer than, as far as the buckets tell: infinite if it was the last.
    #[must_use]
    pub fn bound_of(&self, share: f64) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "nobody clones so often")]
        let wanted = share * self.count as f64;
        let mut seen = 0;
        let reached = self.buckets.iter().find(|(_, count)| {
            seen += count;
            #[allow(clippy::cast_precision_loss, reason = "nobody clones so often")]
            let is_reached = seen as f64 >= wanted;
            is_reached
        });
        reached.filter(|_| self.count > 0).map(|(bound, _)| *bound)
    }
}

/// A line of a metric: what follows its name, its labels and its value.
fn parts<'a>(line: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (kind, rest) = line.strip_prefix(name)?.split_once('{')?;
    let (labels, value) = rest.rsplit_once('}')?;
    Some((kind, labels, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE clone_seconds histogram
clone_seconds_bucket{mode=\"async\",le=\"0.005\"} 1
clone_seconds_bucket{mode=\"async\",le=\"0.01\"} 9
clone_seconds_bucket{mode=\"async\",le=\"+Inf\"} 10
clone_seconds_sum{mode=\"async\"} 2.5
clone_seconds_count{mode=\"async\"} 10
clone_seconds_bucket{mode=\"sync\",le=\"0.005\"} 0
";

    #[test]
    fn a_histogram_is_read_with_what_is_in_each_bucket() {
        let histogram = Histogram::read(TEXT, "clone_seconds", "async");
        assert_eq!(histogram.buckets, [(0.005, 1), (0.01, 8), (f64::INFINITY, 1)]);
        assert_eq!((histogram.count, histogram.mean()), (10, Some(0.25)));
        assert_eq!(
            [0.5, 0.9, 0.95].map(|share| histogram.bound_of(share)),
            [Some(0.01), Some(0.01), Some(f64::INFINITY)]
        );
        let none = Histogram::read(TEXT, "clone_seconds", "sync");
        assert_eq!((none.mean(), none.bound_of(0.5)), (None, None));
        assert_eq!(Histogram::read("", "clone_seconds", "sync"), Histogram::default());
    }
}
