use std::fmt::{self, Write};

use super::Totals;
use crate::app::App;
use crate::domain::Result;
use crate::domain::jobs::review::{self, QueueCounts};

impl App {
    /// Returns the metrics of the queues, which all processes share, and of the attempts in this process.
    ///
    /// # Errors
    /// If the store is unreachable.
    pub async fn jobs_metrics(&self) -> Result<String> {
        let now = self.now();
        let mut queues: Vec<_> = super::registry().kinds().iter().map(|kind| kind.queue.name).collect();
        queues.sort_unstable();
        queues.dedup();
        let counts = self.read(move |tx| queues.into_iter().map(|it| review::counts(tx, it, now)).collect());
        let counts: Vec<QueueCounts> = counts.await?;
        let totals: Vec<_> = self.0.jobs.totals.lock().iter().map(|(kind, it)| (*kind, *it)).collect();
        let mut text = String::new();
        write(&mut text, &counts, &totals).expect("writing to a string can't fail");
        Ok(text)
    }
}

fn write(text: &mut String, counts: &[QueueCounts], totals: &[(&str, Totals)]) -> fmt::Result {
    head(text, "gatepost_jobs", "gauge", "Jobs by queue and state; counting stops at 10,001.")?;
    for QueueCounts { queue, by_state, .. } in counts {
        for (state, count) in by_state {
            let state = state.as_str();
            writeln!(text, "gatepost_jobs{{queue=\"{queue}\",state=\"{state}\"}} {}", count.0)?;
        }
    }
    let name = "gatepost_jobs_oldest_waiting_seconds";
    head(text, name, "gauge", "Seconds since the oldest waiting job became due.")?;
    for QueueCounts { queue, oldest_waiting, .. } in counts {
        writeln!(text, "{name}{{queue=\"{queue}\"}} {}", oldest_waiting.as_seconds_f64())?;
    }
    let name = "gatepost_jobs_done_total";
    head(text, name, "counter", "Jobs completed by this process.")?;
    totals.iter().try_for_each(|(kind, it)| writeln!(text, "{name}{{kind=\"{kind}\"}} {}", it.done))?;
    let name = "gatepost_jobs_failed_total";
    head(text, name, "counter", "Failed attempts in this process.")?;
    totals.iter().try_for_each(|(kind, it)| writeln!(text, "{name}{{kind=\"{kind}\"}} {}", it.failed))
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}
