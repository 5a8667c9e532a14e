//! How long those wait who are served while something else goes on, and those who wait for a change.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::CliError;
use super::super::child::Child;
use super::super::clone_over_http::clone_over_http;
use super::super::figures::Figures;
use super::load::{Load, Request, run, run_until};
use super::subject::Subject;

/// Clones that follow each other in one run.
const CLONES: usize = 3;

/// Changes that are waited for.
const CHANGES: u32 = 300;

/// Measures p99 of the flags with nothing else to do, and while a big environment is being cloned.
pub async fn beside_a_clone(
    server: &Child,
    subject: &Subject,
    load: &Load,
    repeat: u32,
    figures: &mut Figures,
) -> Result<(), CliError> {
    let (api, flags) = (subject.api(server)?, subject.flags());
    // With one connection nobody waits for others who ask for flags, but only for what else goes on.
    let alone = Load { connections: 1, ..*load };
    for run_number in 0..repeat {
        let idle = run(server.address(), &flags, &alone).await?;
        let clones = async {
            for number in 0..CLONES {
                if let Err(error) = clone_over_http(&api, &subject.big, &format!("clone {run_number} {number}")).await {
                    tracing::error!(%error, "a clone did not complete");
                }
            }
        };
        let busy = run_until(server.address(), &flags, 1, clones).await?;
        let p99 = |outcome: &super::load::Outcome| outcome.percentile(0.99).as_secs_f64() * 1e3;
        figures.add("flags: p99, one connection, idle", "ms", p99(&idle));
        figures.add("flags: p99, one connection, beside a clone", "ms", p99(&busy));
        figures.add("flags: p99 beside a clone", "of idle", p99(&busy) / p99(&idle));
    }
    Ok(())
}

/// Changes one flag again and again, and measures from the answer of the change until the change is served.
pub async fn until_served(server: &Child, subject: &Subject, figures: &mut Figures) -> Result<(), CliError> {
    let api = subject.api(server)?;
    let key = subject.client_key();
    let state = api.get(&format!("environments/{key}/featurestates/?feature_name=flag_0000003")).await?;
    let path = format!("environments/{key}/featurestates/{}/", state["results"][0]["id"]);
    let flag = Request { path: "/api/v1/flags/?feature=flag_0000003".to_owned(), ..subject.flags() };
    let (mut waits, mut writes, mut at_once) = (Vec::new(), Vec::new(), 0u32);
    for number in 0..CHANGES {
        let value = format!("value {number}");
        let started = Instant::now();
        api.put(&path, &json!({ "feature_state_value": value })).await?;
        writes.push(started.elapsed());
        let answered = Instant::now();
        let mut asked = 0u32;
        loop {
            let answer = flag.ask(server.address()).await?;
            asked += 1;
            let served: Value = serde_json::from_slice(&answer.body)?;
            if served["feature_state_value"] == value {
                break;
            }
        }
        at_once += u32::from(asked == 1);
        waits.push(answered.elapsed());
    }
    waits.sort_unstable();
    writes.sort_unstable();
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100].as_secs_f64() * 1e3;
    figures.add("answer of a change, p99", "ms", p99(&writes));
    figures.add("from the answer of a change until served, p99", "ms", p99(&waits));
    figures.add("changes served to the first who asked", "%", f64::from(at_once) / f64::from(CHANGES) * 100.0);
    Ok(())
}
