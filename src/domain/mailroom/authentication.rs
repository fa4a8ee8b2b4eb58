//! The results of SPF, DKIM and DMARC, in the terms of RFC 8601.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is published, or nothing was checked.
    #[default]
    None,
    Pass,
    Fail,
    SoftFail,
    Neutral,
    TempError,
    PermError,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

/// The result of SPF, or of one DKIM signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    pub result: Verdict,
    /// The domain of the record or signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The reason, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dmarc {
    pub result: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Dmarc {
    /// Combines the results of several authors' domains: all must pass, and the strictest policy of those
    /// that fail applies (RFC 9989, section 11.5). Among equal results, the first domain counts.
    pub(crate) fn strictest(each: impl IntoIterator<Item = Self>) -> Self {
        let strictest = each.into_iter().reduce(|first, next| match next.strictness() > first.strictness() {
            true => next,
            false => first,
        });
        strictest.unwrap_or_default()
    }

    fn strictness(&self) -> u8 {
        match (self.result, self.policy) {
            (Verdict::Fail, Some(Policy::Reject)) => 6,
            // Can lead to a refusal, but only after the lookup succeeds.
            (Verdict::TempError, Some(Policy::Reject)) => 5,
            (Verdict::Fail, Some(Policy::Quarantine)) => 4,
            (Verdict::Fail, _) => 3,
            (Verdict::TempError, _) => 2,
            (Verdict::Pass, _) => 0,
            _ => 1,
        }
    }
}

/// The default means that nothing was checked, as for an operator's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    pub spf: Check,
    pub dkim: Vec<Check>,
    pub dmarc: Dmarc,
}

impl Authentication {
    /// Combines the results of all signatures: one that passes is enough.
    pub(crate) fn dkim_result(&self) -> Verdict {
        let passes = self.dkim.iter().any(|each| each.result == Verdict::Pass);
        match self.dkim.first() {
            _ if passes => Verdict::Pass,
            Some(first) => first.result,
            None => Verdict::None,
        }
    }

    /// Whether the author's domain asks to reject forgeries, and it is unknown whether this is one. Such mail
    /// is deferred: otherwise forgeries would be accepted while the domain's DNS is down.
    pub(crate) fn is_undecided(&self) -> bool {
        self.dmarc.result == Verdict::TempError && self.dmarc.policy == Some(Policy::Reject)
    }

    /// Whether DMARC failed and the author's domain asks to reject such mail.
    pub(crate) fn is_to_be_rejected(&self) -> bool {
        self.dmarc.result == Verdict::Fail && self.dmarc.policy == Some(Policy::Reject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_good_signature_is_enough() {
        let check = |result| Check { result, ..Check::default() };
        let of = |dkim| Authentication { dkim, ..Authentication::default() }.dkim_result();
        assert_eq!(of(vec![check(Verdict::Fail), check(Verdict::Pass)]), Verdict::Pass);
        assert_eq!(of(vec![check(Verdict::TempError), check(Verdict::Fail)]), Verdict::TempError);
        assert_eq!(of(vec![]), Verdict::None);
    }

    #[test]
    fn the_strictest_result_of_several_domains_counts() {
        let of = |domain: &str, result, policy| Dmarc {
            result,
            domain: Some(domain.into()),
            policy,
            detail: None,
        };
        let passes = of("a.test", Verdict::Pass, Some(Policy::Reject));
        let ranked = [
            of("b.test", Verdict::Pass, None),
            of("c.test", Verdict::None, None),
            of("d.test", Verdict::TempError, Some(Policy::Quarantine)),
            of("e.test", Verdict::Fail, Some(Policy::None)),
            of("f.test", Verdict::Fail, Some(Policy::Quarantine)),
            of("g.test", Verdict::TempError, Some(Policy::Reject)),
            of("h.test", Verdict::Fail, Some(Policy::Reject)),
        ];
        assert_eq!(Dmarc::strictest([passes.clone(), ranked[0].clone()]), passes);
        for pair in ranked.windows(2) {
            let [milder, stricter] = pair else { unreachable!() };
            assert_eq!(&Dmarc::strictest([milder.clone(), stricter.clone()]), stricter);
            assert_eq!(&Dmarc::strictest([stricter.clone(), passes.clone(), milder.clone()]), stricter);
        }
    }

    #[test]
    fn results_are_stored_in_the_terms_of_rfc_8601() {
        let mut authentication = Authentication::default();
        authentication.dmarc.policy = Some(Policy::Quarantine);
        authentication.spf.result = Verdict::SoftFail;
        let text = serde_json::to_string(&authentication).unwrap();
        assert_eq!(
            text,
            r#"{"spf":{"result":"softfail"},"dkim":[],"dmarc":{"result":"none","policy":"quarantine"}}"#
        );
        assert_eq!(serde_json::from_str::<Authentication>(&text).unwrap(), authentication);
    }
}
