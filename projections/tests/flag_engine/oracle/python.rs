//! Flagsmith's Python engine: our engine says the same of random environments, segments and identities.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;

use offshoot_aggregates::project::SegmentOperator;
use serde::Deserialize;
use serde_json::{Value, json};

use super::case::{Case, plain};
use super::generator::case;

/// Cases that must have been compared.
const CASES: u64 = 20_000;

/// Processes that the cases are spread over.
const PROCESSES: u64 = 2;

/// Cases that wait for their answer in one process.
const WAITING_MAX: usize = 256;

/// Where our engine answers and Flagsmith's does not, because it lets an error of Python's through.
const PYTHON_FAILURES: &[&str] = &["error", "PatternError", "ZeroDivisionError", "OverflowError"];

/// What Flagsmith's engine says: of each flag whether it is on, its value, variant and reason; the segments that match.
#[derive(Debug, Deserialize, PartialEq)]
struct Verdict {
    flags: BTreeMap<String, Value>,
    segments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Verdict(Verdict),
    Failure { error: String },
}

/// What was seen of an operator: how often segments of one condition matched, and how often not.
type Coverage = BTreeMap<String, (u64, u64)>;

/// Starts the oracle in the environment that `scripts/flag-oracle` installs.
fn start_oracle() -> Child {
    let test_binary = std::env::current_exe().unwrap();
    let target = test_binary.ancestors().nth(3).unwrap();
    let python = target.join("flag-oracle/bin/python");
    assert!(
        python.exists(),
        "Flagsmith's engine is not installed in {}: run scripts/flag-oracle (scripts/test does so)",
        target.join("flag-oracle").display()
    );
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/flag_engine/oracle/evaluate.py");
    Command::new(python)
        .args(["-W", "ignore"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn our_verdict(case: &Case) -> Verdict {
    let environment = case.environment();
    let traits = case.traits();
    let mut evaluator = environment.evaluator(case.context(&traits));
    let flags = evaluator
        .flags()
        .map(|flag| {
            let value = plain(flag.feature_value());
            let verdict = json!([flag.enabled(), value, flag.variant_key(), flag.reason.to_string()]);
            (flag.feature.name().to_string(), verdict)
        })
        .collect();
    let matching = case.segments.iter().filter(|segment| evaluator.is_in_segment(segment.id));
    Verdict { flags, segments: matching.map(|segment| segment.name.clone()).collect() }
}

/// Says what differs, and of what.
fn difference(number: u64, case: &Case, ours: &Verdict, theirs: &Verdict) -> String {
    let mut text = format!("case {number}:\n");
    let context = case.evaluation_context();
    for segment in &case.segments {
        let (ours, theirs) = (ours.segments.contains(&segment.name), theirs.segments.contains(&segment.name));
        if ours != theirs {
            let rules = &context["segments"][segment.id.to_string()]["rules"];
            text += &format!("  {}: ours {ours}, theirs {theirs}: {rules}\n", segment.name);
        }
    }
    for (name, ours) in &ours.flags {
        if theirs.flags.get(name) != Some(ours) {
            text += &format!("  flag {name}: ours {ours}, theirs {:?}\n", theirs.flags.get(name));
        }
    }
    text + &format!("  identity {}", context["identity"])
}

/// What came of the cases of one process.
#[derive(Default)]
struct Comparison {
    compared: u64,
    failures: BTreeMap<String, u64>,
    differences: Vec<String>,
    coverage: Coverage,
}

impl Comparison {
    fn take(&mut self, number: u64, case: &Case, answer: Answer) {
        let ours = our_verdict(case);
        let mut theirs = match answer {
            Answer::Verdict(verdict) => verdict,
            Answer::Failure { error } => {
                assert!(PYTHON_FAILURES.contains(&error.as_str()), "case {number}: {error}");
                *self.failures.entry(error).or_default() += 1;
                return;
            }
        };
        theirs.segments.retain(|name| name != "identity_overrides");
        self.compared += 1;
        for segment in &case.segments {
            if let [rule] = &segment.rules[..]
                && let [condition] = &rule.conditions[..]
                && rule.rules.is_empty()
            {
                let seen = self.coverage.entry(format!("{:?}", condition.operator)).or_default();
                let is_match = theirs.segments.contains(&segment.name);
                *if is_match { &mut seen.0 } else { &mut seen.1 } += 1;
            }
        }
        if ours != theirs {
            self.differences.push(difference(number, case, &ours, &theirs));
        }
    }
}

/// Compares the cases from a number on, so far apart.
fn compare(first: u64, step: usize, cases: u64) -> Comparison {
    let mut oracle = start_oracle();
    let mut input = BufWriter::new(oracle.stdin.take().unwrap());
    let output = BufReader::new(oracle.stdout.take().unwrap());
    let (sender, receiver) = sync_channel::<(u64, Case)>(WAITING_MAX);
    let asking = thread::spawn(move || {
        for number in (first..first + cases).step_by(step) {
            let case = case(number);
            writeln!(input, "{}", case.evaluation_context()).unwrap();
            sender.send((number, case)).unwrap();
        }
        input.flush().unwrap();
    });
    let mut comparison = Comparison::default();
    for line in output.lines() {
        let (number, case) = receiver.recv().unwrap();
        comparison.take(number, &case, serde_json::from_str(&line.unwrap()).unwrap());
    }
    asking.join().unwrap();
    assert!(oracle.wait().unwrap().success());
    comparison
}

/// `OFFSHOOT_TEST_SEED` is the number of the first case, or `random`. Without it the cases are the same each time, so that a
/// change is not blamed for what it did not do; whoever changes the engine tries others.
#[test]
fn our_engine_says_the_same_as_flagsmiths_of_random_environments() {
    let seed = match std::env::var("OFFSHOOT_TEST_SEED").as_deref() {
        Err(_) => 1,
        Ok("random") => rand::random::<u64>() >> 16,
        Ok(seed) => seed.parse().unwrap(),
    };
    eprintln!("OFFSHOOT_TEST_SEED={seed}");
    // Some cases in a hundred cannot be compared.
    let cases = CASES * 11 / 10;
    let step = usize::try_from(PROCESSES).unwrap();
    let workers: Vec<_> =
        (0..PROCESSES).map(|offset| thread::spawn(move || compare(seed + offset, step, cases))).collect();
    let comparisons: Vec<_> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();

    let differences: Vec<_> = comparisons.iter().flat_map(|comparison| &comparison.differences).collect();
    let shown: Vec<_> = differences.iter().take(20).map(|text| text.as_str()).collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), shown.join("\n"));
    let compared: u64 = comparisons.iter().map(|comparison| comparison.compared).sum();
    assert!(
        compared >= CASES,
        "only {compared} compared, {:?}",
        comparisons.iter().map(|c| &c.failures).collect::<Vec<_>>()
    );
    for operator in super::generator::OPERATORS {
        let seen = comparisons.iter().filter_map(|comparison| comparison.coverage.get(&format!("{operator:?}")));
        let (matches, others) = seen.fold((0, 0), |(one, two), (matches, others)| (one + matches, two + others));
        let always_same = matches!(operator, SegmentOperator::IsSet | SegmentOperator::IsNotSet);
        eprintln!("{operator:?}: {matches} matched, {others} did not");
        assert!(matches > 100 && (others > 100 || always_same), "{operator:?} was hardly tried");
    }
}
