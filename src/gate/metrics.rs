//! Metrics in the Prometheus text format (version 0.0.4). Counting takes one or two atomic additions.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::refusal::Reason;

/// Reasons for refusing a call that has no known caller, and so no activity record.
const UNRECOGNIZED: [&str; 4] = ["missing", "malformed", "invalid", "failed"];

pub struct Metrics {
    statuses: [AtomicU64; 500],
    unrecognized: [AtomicU64; UNRECOGNIZED.len()],
    gate: Histogram,
    batches: Histogram,
    commits: Histogram,
    failed_commits: AtomicU64,
    flush_requests: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            statuses: [const { AtomicU64::new(0) }; 500],
            unrecognized: Default::default(),
            gate: Histogram::default(),
            batches: Histogram::default(),
            commits: Histogram::default(),
            failed_commits: AtomicU64::new(0),
            flush_requests: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub fn count_response(&self, status: u16) {
        if let Some(counter) = self.statuses.get(usize::from(status).wrapping_sub(100)) {
            add(counter);
        }
    }

    pub fn unrecognized(&self, reason: &Reason) {
        let index = UNRECOGNIZED.iter().position(|label| *label == reason.label());
        add(&self.unrecognized[index.unwrap_or(UNRECOGNIZED.len() - 1)]);
    }

    pub fn decided(&self, took: Duration) {
        self.gate.observe(micros(took));
    }

    pub fn flush_requested(&self) {
        add(&self.flush_requests);
    }

    pub fn committed(&self, calls: usize, took: Duration, succeeded: bool) {
        self.batches.observe(calls as u64);
        self.commits.observe(micros(took));
        if !succeeded {
            add(&self.failed_commits);
        }
    }
}

pub struct Gauges {
    pub waiting: usize,
    pub in_journal: usize,
    pub cached: usize,
    pub limiter_is_reachable: bool,
}

pub fn text(metrics: &Metrics, gauges: &Gauges) -> String {
    let mut text = String::with_capacity(8 * 1024);
    write(&mut text, metrics, gauges).expect("writing to a string can't fail");
    text
}

fn write(text: &mut String, metrics: &Metrics, gauges: &Gauges) -> fmt::Result {
    head(text, "gatepost_api_calls_total", "counter", "API calls by response status.")?;
    for (index, counter) in metrics.statuses.iter().enumerate() {
        match counter.load(Ordering::Relaxed) {
            0 => {}
            calls => writeln!(text, "gatepost_api_calls_total{{status=\"{}\"}} {calls}", index + 100)?,
        }
    }
    let name = "gatepost_unrecognized_calls_total";
    head(text, name, "counter", "Calls without a known caller, which are not in any activity log.")?;
    for (reason, calls) in UNRECOGNIZED.iter().zip(&metrics.unrecognized) {
        writeln!(text, "{name}{{reason=\"{reason}\"}} {}", calls.load(Ordering::Relaxed))?;
    }
    let help = "Time taken by the gate to admit or refuse a call.";
    metrics.gate.write(text, "gatepost_gate_seconds", help, MICROS_PER_SECOND)?;
    metrics.batches.write(text, "gatepost_writer_batch_calls", "Calls per commit.", 1.0)?;
    let help = "Duration of a commit.";
    metrics.commits.write(text, "gatepost_writer_commit_seconds", help, MICROS_PER_SECOND)?;
    let name = "gatepost_writer_failed_commits_total";
    head(text, name, "counter", "Failed commits, whose calls got a 503.")?;
    writeln!(text, "{name} {}", metrics.failed_commits.load(Ordering::Relaxed))?;
    let name = "gatepost_flush_requests_total";
    head(text, name, "counter", "Pages that waited for calls to reach the activity log.")?;
    writeln!(text, "{name} {}", metrics.flush_requests.load(Ordering::Relaxed))?;
    write_gauges(text, gauges)
}

fn write_gauges(text: &mut String, gauges: &Gauges) -> fmt::Result {
    let reachable = usize::from(gauges.limiter_is_reachable);
    for (name, help, value) in [
        ("gatepost_writer_waiting_calls", "Calls whose records are not committed yet.", gauges.waiting),
        ("gatepost_journal_calls", "Calls on disk that are not in the activity log yet.", gauges.in_journal),
        ("gatepost_cached_tokens", "Verified tokens in the cache.", gauges.cached),
        ("gatepost_limiter_reachable", "1 if calls can be counted, else 0.", reachable),
    ] {
        head(text, name, "gauge", help)?;
        writeln!(text, "{name} {value}")?;
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

const MICROS_PER_SECOND: f64 = 1e6;
/// Upper bounds are powers of two, up to 8.4 s in microseconds.
const BUCKETS: usize = 24;

#[derive(Default)]
struct Histogram {
    /// The last bucket counts values above all bounds.
    buckets: [AtomicU64; BUCKETS + 1],
    sum: AtomicU64,
}

impl Histogram {
    fn observe(&self, value: u64) {
        add(&self.buckets[bucket(value)]);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn write(&self, text: &mut String, name: &str, help: &str, unit: f64) -> fmt::Result {
        head(text, name, "histogram", help)?;
        let mut count = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            match index {
                BUCKETS => writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}")?,
                _ => writeln!(text, "{name}_bucket{{le=\"{}\"}} {count}", (1_u64 << index) as f64 / unit)?,
            }
        }
        let sum = self.sum.load(Ordering::Relaxed) as f64 / unit;
        writeln!(text, "{name}_sum {sum}\n{name}_count {count}")
    }
}

/// The first power of two that is at least the value.
fn bucket(value: u64) -> usize {
    let power = u64::BITS - value.saturating_sub(1).leading_zeros();
    (power as usize).min(BUCKETS)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_at_most_their_bucket_bound() {
        for (value, power) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 23, 23), (u64::MAX, 24)]
        {
            assert_eq!(bucket(value), power, "{value}");
        }
    }

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        metrics.count_response(200);
        metrics.count_response(99);
        metrics.committed(3, Duration::from_micros(100), false);
        metrics.committed(64, Duration::from_secs(60), true);
        let gauges = Gauges { waiting: 0, in_journal: 0, cached: 7, limiter_is_reachable: true };
        let text = text(&metrics, &gauges);
        for line in [
            "gatepost_api_calls_total{status=\"200\"} 1",
            "gatepost_writer_batch_calls_bucket{le=\"4\"} 1",
            "gatepost_writer_batch_calls_bucket{le=\"+Inf\"} 2",
            "gatepost_writer_batch_calls_sum 67",
            "gatepost_writer_commit_seconds_bucket{le=\"0.000128\"} 1",
            "gatepost_writer_commit_seconds_sum 60.0001",
            "gatepost_writer_failed_commits_total 1",
            "gatepost_cached_tokens 7",
            "gatepost_limiter_reachable 1",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} is missing in\n{text}");
        }
    }
}
