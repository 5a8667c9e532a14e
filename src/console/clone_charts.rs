//! Charts that compare clones that one waits for with those in the background, drawn by the server, with a table of the same.

use super::clone_metrics::Histogram;
use super::shown::grouped;
use super::texts;

const WIDTH: u32 = 420;
const HEIGHT: u32 = 200;
/// Room for the scale at the left, and for what stands below.
const LEFT: u32 = 40;
const BOTTOM: u32 = 34;
const TOP: u32 = 12;
/// Room that a label needs, also on a small screen, where it is written larger.
const LABEL: u32 = 110;

/// A chart: for each bucket a bar of each mode, as high as there were clones in it.
pub struct Chart {
    /// What it shows; also the prefix of the ids in it.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it means.
    pub lead: &'static str,
    /// Its bars; none if there was no clone.
    pub bars: Vec<Bar>,
    /// What stands below the bars: where, and what.
    pub labels: Vec<(u32, String)>,
    /// The lines across: how high, and what they stand for.
    pub lines: Vec<(u32, String)>,
    /// The same in figures, a row for each mode.
    pub rows: [ChartRow; 2],
}

/// A bar.
pub struct Bar {
    /// Its left side.
    pub x: u32,
    /// Its upper side.
    pub y: u32,
    /// How wide it is.
    pub width: u32,
    /// How high it is.
    pub height: u32,
    /// The class of its mode.
    pub class: &'static str,
    /// What it says, for whom the pointer rests on it.
    pub text: String,
}

/// The figures of one mode.
pub struct ChartRow {
    /// The mode.
    pub mode: &'static str,
    /// The class of its colour.
    pub class: &'static str,
    /// How many clones.
    pub count: String,
    /// How long one took on average.
    pub mean: String,
    /// How long half of them took at most.
    pub half: String,
    /// How long 95 % of them took at most.
    pub most: String,
}

impl Chart {
    /// A chart of two histograms with the same buckets: those of clones that one waits for, and of those in the background.
    #[must_use]
    pub fn of(id: &'static str, title: &'static str, lead: &'static str, [sync, background]: [&Histogram; 2]) -> Self {
        let modes = [(sync, texts::system::SYNC, "mode-sync"), (background, texts::system::ASYNC, "mode-async")];
        let rows = modes.map(|(histogram, mode, class)| ChartRow::of(histogram, mode, class));
        let mut chart = Self { id, title, lead, bars: Vec::new(), labels: Vec::new(), lines: Vec::new(), rows };
        let bounds = shown_bounds(&[sync, background]);
        let count_in = |histogram: &Histogram, bound: f64| {
            histogram.buckets.iter().find(|(other, _)| *other == bound).map_or(0, |(_, count)| *count)
        };
        let highest = modes.iter().flat_map(|(histogram, ..)| histogram.buckets.iter().map(|(_, count)| *count)).max();
        let Some(highest) = highest.filter(|highest| *highest > 0) else { return chart };
        let step = (WIDTH - LEFT) / u32::try_from(bounds.len().max(1)).unwrap_or(1);
        let width = (step * 2 / 5).clamp(2, 36);
        let floor = HEIGHT - BOTTOM;
        for (index, bound) in (0u32..).zip(&bounds) {
            let middle = LEFT + index * step + step / 2;
            if index.is_multiple_of(LABEL.div_ceil(step.max(1))) {
                chart.labels.push((middle, texts::system::up_to(*bound)));
            }
            for (side, (histogram, mode, class)) in modes.iter().enumerate() {
                let count = count_in(histogram, *bound);
                let height = scaled(count, highest);
                if count > 0 {
                    let x = if side == 0 { middle - width - 1 } else { middle + 1 };
                    let text = texts::system::bar(mode, &grouped(count), &texts::system::up_to(*bound));
                    chart.bars.push(Bar { x, y: floor - height, width, height, class, text });
                }
            }
        }
        for count in [highest, highest / 2, 0] {
            let y = floor - scaled(count, highest);
            if chart.lines.iter().all(|(other, _)| *other != y) {
                chart.lines.push((y, grouped(count)));
            }
        }
        chart
    }

    /// The size of its drawing, as an SVG's `viewBox`.
    #[must_use]
    pub fn view_box(&self) -> String {
        format!("0 0 {WIDTH} {HEIGHT}")
    }

    /// Where its lines begin and end, and where its labels stand.
    #[must_use]
    pub fn frame(&self) -> (u32, u32, u32) {
        (LEFT, WIDTH, HEIGHT - 12)
    }
}

/// The bounds from the first bucket with anything in it to the last.
fn shown_bounds(histograms: &[&Histogram]) -> Vec<f64> {
    let fullest = histograms.iter().max_by_key(|histogram| histogram.buckets.len());
    let bounds: Vec<f64> =
        fullest.iter().flat_map(|histogram| histogram.buckets.iter().map(|(bound, _)| *bound)).collect();
    let is_used = |bound: &f64| {
        histograms.iter().any(|histogram| histogram.buckets.iter().any(|(other, count)| other == bound && *count > 0))
    };
    let first = bounds.iter().position(is_used);
    let last = bounds.iter().rposition(is_used);
    first.zip(last).and_then(|(first, last)| bounds.get(first..=last)).unwrap_or_default().to_vec()
}

/// How high a bar is; one that stands for anything can be seen.
fn scaled(count: u64, highest: u64) -> u32 {
    let room = u64::from(HEIGHT - BOTTOM - TOP);
    let height = (count * room).checked_div(highest).unwrap_or(0);
    u32::try_from(height).unwrap_or(0).max(u32::from(count > 0) * 2)
}

impl ChartRow {
    fn of(histogram: &Histogram, mode: &'static str, class: &'static str) -> Self {
        let bound = |share| histogram.bound_of(share).map_or_else(none, texts::system::up_to);
        Self {
            mode,
            class,
            count: grouped(histogram.count),
            mean: histogram.mean().map_or_else(none, texts::system::seconds),
            half: bound(0.5),
            most: bound(0.95),
        }
    }
}

fn none() -> String {
    texts::system::NOTHING.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_bucket_and_mode_with_anything_in_it() {
        let histogram = |buckets: &[(f64, u64)]| Histogram {
            buckets: buckets.to_vec(),
            count: buckets.iter().map(|(_, count)| count).sum(),
            sum: 1.0,
        };
        let sync = histogram(&[(0.1, 0), (1.0, 0), (5.0, 4), (f64::INFINITY, 0)]);
        let background = histogram(&[(0.1, 0), (1.0, 8), (5.0, 0), (f64::INFINITY, 0)]);
        let chart = Chart::of("answers", "", "", [&sync, &background]);
        assert_eq!(chart.labels.len(), 2, "from the first bucket that is used to the last");
        let bars: Vec<_> = chart.bars.iter().map(|bar| (bar.class, bar.height)).collect();
        assert_eq!(bars, [("mode-async", 154), ("mode-sync", 77)]);
        assert!(Chart::of("answers", "", "", [&Histogram::default(), &Histogram::default()]).bars.is_empty());
    }
}
