//! Links to choose between the last 24 hours, 7 days and 30 days.

use crate::domain::access::usage::Period;
use crate::web::paths::Path;

pub struct PeriodChoice {
    pub label: &'static str,
    pub address: String,
    pub is_chosen: bool,
}

impl PeriodChoice {
    /// Links to `path` with `period` and the other parameters of the page.
    pub fn all(path: Path, others: &[(&str, &str)], chosen: Period) -> Vec<Self> {
        Self::each(chosen, |parameters| path.query(parameters), others)
    }

    /// Like [`Self::all`], for any URL: `address` gets all parameters.
    pub fn each(
        chosen: Period,
        address: impl Fn(&[(&str, &str)]) -> String,
        others: &[(&str, &str)],
    ) -> Vec<Self> {
        let choice = |period: &Period| {
            // The default needs no parameter.
            let code = if *period == Period::default() { "" } else { period.as_str() };
            let parameters: Vec<_> = others.iter().copied().chain([("period", code)]).collect();
            Self { label: period.label(), address: address(&parameters), is_chosen: *period == chosen }
        };
        Period::ALL.iter().map(choice).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::paths;

    #[test]
    fn links_keep_the_other_parameters() {
        let choices = PeriodChoice::all(paths::ACTIVITY, &[("token", "tok_1")], Period::Week);
        let shown: Vec<_> = choices.iter().map(|each| (each.label, &*each.address, each.is_chosen)).collect();
        assert_eq!(
            shown,
            [
                ("24 h", "/activity?token=tok_1", false),
                ("7 days", "/activity?token=tok_1&period=7d", true),
                ("30 days", "/activity?token=tok_1&period=30d", false),
            ]
        );
    }
}
