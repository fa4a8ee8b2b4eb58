//! `backup`, `restore` and `check`.

use std::path::Path;

use super::{Failure, say};
use crate::app::backup::{self, Failed};
use crate::config::Config;
use crate::domain::clock::{Clock, SystemClock};

pub fn backup(config: &Config, file: &Path) -> Result<(), Failure> {
    let taken = backup::take(config, file, SystemClock.now()).map_err(sentence)?;
    say(&format!("Wrote {} ({} kB).", file.display(), taken.bytes.div_ceil(1000)))?;
    say(match taken.has_key {
        true => "It holds mail, password hashes and the secret key. Keep it where only you can read it.",
        false => {
            "It holds mail and password hashes. Keep it where only you can read it. The secret key is not \
             in it: keep a copy of GATEPOST_SECRET_KEY too."
        }
    })
}

pub fn restore(config: &Config, file: &Path) -> Result<(), Failure> {
    let restored = backup::restore(config, file).map_err(sentence)?;
    say(&format!("Restored the backup of {}. Start Gatepost to use it.", restored.taken_at))?;
    match (restored.has_key, &config.secret_key) {
        (false, None) => {
            say("The secret key was not in it: set GATEPOST_SECRET_KEY to the former one first.")
        }
        (true, Some(_)) => say("The secret key was in it, but GATEPOST_SECRET_KEY is set and comes first."),
        _ => Ok(()),
    }
}

pub fn check(config: &Config) -> Result<(), Failure> {
    let findings = backup::check(config).map_err(sentence)?;
    findings.iter().try_for_each(|finding| say(finding))?;
    match findings.len() {
        0 => say("No problems found."),
        1 => Err("1 problem found".into()),
        many => Err(format!("{many} problems found")),
    }
}

fn sentence(failed: Failed) -> Failure {
    failed.to_string()
}
