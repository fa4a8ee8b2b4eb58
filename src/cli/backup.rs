use std::path::Path;

use super::{Failure, print_line};
use crate::app::backup::{self, Failed};
use crate::config::Config;
use crate::domain::clock::{Clock, SystemClock};

pub fn backup(config: &Config, file: &Path) -> Result<(), Failure> {
    let taken = backup::take(config, file, SystemClock.now()).map_err(message_of)?;
    print_line(&format!("Wrote {} ({} kB).", file.display(), taken.bytes.div_ceil(1000)))?;
    print_line(match taken.has_key {
        true => "It contains mail, password hashes and the secret key. Keep it private.",
        false => {
            "It contains mail and password hashes. Keep it private. The secret key is not included: keep a \
             copy of GATEPOST_SECRET_KEY too."
        }
    })
}

pub fn restore(config: &Config, file: &Path) -> Result<(), Failure> {
    let restored = backup::restore(config, file).map_err(message_of)?;
    print_line(&format!("Restored the backup of {}. Start Gatepost to use it.", restored.taken_at))?;
    match (restored.has_key, &config.secret_key) {
        (false, None) => print_line(
            "The backup does not include the secret key. Set GATEPOST_SECRET_KEY to the original key first.",
        ),
        (true, Some(_)) => print_line(
            "The backup includes the secret key, but GATEPOST_SECRET_KEY is set and takes precedence.",
        ),
        _ => Ok(()),
    }
}

pub fn check(config: &Config) -> Result<(), Failure> {
    let findings = backup::check(config).map_err(message_of)?;
    findings.iter().try_for_each(|finding| print_line(finding))?;
    match findings.len() {
        0 => print_line("No problems found."),
        1 => Err("1 problem found".into()),
        many => Err(format!("{many} problems found")),
    }
}

fn message_of(failed: Failed) -> Failure {
    failed.to_string()
}
