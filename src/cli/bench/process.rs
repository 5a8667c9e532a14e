//! What the system says of processes: memory and processor.

use std::fs;

/// The most memory that the process has held since [`reset_peak_memory`], in MiB; `None` where the system does not say.
pub fn peak_memory_mib() -> Option<f64> {
    status_mib("self", "VmHWM:")
}

/// The memory that the process holds, in MiB; `None` where the system does not say.
pub fn memory_mib() -> Option<f64> {
    status_mib("self", "VmRSS:")
}

/// Seconds that the processor has worked for this process, in steps of a hundredth; `None` where the system does not say.
pub fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // After the program's name in parentheses: the 12th and 13th field are the ticks in user and in kernel mode (proc(5)).
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

/// A field of a process's status (proc(5)) in MiB; `self` is this process.
pub fn status_mib(process: &str, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Forgets the peak of the past, where the system can.
pub fn reset_peak_memory() {
    // Writing 5 there resets the peak (see proc(5)); where that is not possible the peak is that of the whole run.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The machine, as far as figures depend on it.
pub fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |text| text.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}
