use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::Dns;
use crate::domain::mailroom::mail_domains::{Answer, Domain, Observation};

impl Dns {
    pub async fn observe(&self, domain: &Domain) -> Observation {
        let name = domain.proof_name();
        let (proof, mx) = tokio::join!(self.txt(&name), self.mx(&domain.name));
        Observation { proof, mx }
    }

    /// Returns the TXT records of a name. The parts of a record are joined.
    async fn txt(&self, name: &str) -> Answer {
        self.lookup(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => {
                let whole: Vec<u8> = txt.txt_data.iter().flat_map(|part| part.to_vec()).collect();
                Some(String::from_utf8_lossy(&whole).into_owned())
            }
            _ => None,
        })
        .await
    }

    /// Returns a domain's mail servers in lower case, sorted by preference.
    async fn mx(&self, name: &str) -> Answer {
        let answer = self.lookup(name, RecordType::MX, |data| match data {
            RData::MX(mx) => {
                let host = mx.exchange.to_lowercase().to_ascii();
                Some(format!("{:05} {}", mx.preference, host.trim_end_matches('.')))
            }
            _ => None,
        });
        match answer.await {
            Answer::Found(mut servers) => {
                servers.sort();
                let names = servers.into_iter().map(|server| server.chars().skip(6).collect());
                Answer::Found(names.collect())
            }
            other => other,
        }
    }

    async fn lookup(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<String>) -> Answer {
        let Some(resolvers) = &self.0 else { return Answer::Failed("no DNS server is configured".into()) };
        let Ok(mut name) = Name::from_ascii(name) else { return Answer::Nothing };
        name.set_fqdn(true);
        match resolvers.fresh.lookup(name, kind).await {
            Ok(lookup) => {
                let found: Vec<_> = lookup.answers().iter().filter_map(|record| read(&record.data)).collect();
                if found.is_empty() { Answer::Nothing } else { Answer::Found(found) }
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Answer::Nothing,
            Err(cause) => Answer::Failed(cause.to_string()),
        }
    }
}
