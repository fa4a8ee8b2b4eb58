//! Queries that return rows only if the store is damaged: counters that differ from the rows they count,
//! and orphaned rows. The column `finding` describes the problem.

use crate::store::backend::Engine;

pub const COMMON: &[&str] = &[
    // Counters.
    "SELECT 'team ' || t.name || ' has ' || COALESCE(m.messages, 0) || ' messages of ' || COALESCE(m.bytes, 0)
        || ' bytes, but is counted with ' || COALESCE(s.messages, 0) || ' of ' || COALESCE(s.bytes, 0) AS finding
     FROM teams t LEFT JOIN mail_stores s ON s.team_id = t.id
     LEFT JOIN (SELECT team_id, COUNT(*) AS messages, SUM(size) AS bytes FROM messages
        WHERE state NOT IN ('denied', 'rejected') GROUP BY team_id) m ON m.team_id = t.id
     WHERE COALESCE(m.messages, 0) <> COALESCE(s.messages, 0) OR COALESCE(m.bytes, 0) <> COALESCE(s.bytes, 0)",
    "SELECT 'team ' || t.name || ' has ' || COALESCE(m.messages, 0) || ' refused messages of '
        || COALESCE(m.bytes, 0) || ' bytes, but is counted with ' || COALESCE(s.refused_messages, 0) || ' of '
        || COALESCE(s.refused_bytes, 0) AS finding
     FROM teams t LEFT JOIN mail_stores s ON s.team_id = t.id
     LEFT JOIN (SELECT team_id, COUNT(*) AS messages, SUM(COALESCE(kept, size)) AS bytes FROM messages
        WHERE state IN ('denied', 'rejected') GROUP BY team_id) m ON m.team_id = t.id
     WHERE COALESCE(m.messages, 0) <> COALESCE(s.refused_messages, 0)
        OR COALESCE(m.bytes, 0) <> COALESCE(s.refused_bytes, 0)",
    "SELECT 'message msg_' || ID[m.id] || ' has ' || LENGTH(c.raw) || ' bytes, but is counted with '
        || COALESCE(m.kept, m.size) AS finding
     FROM messages m JOIN message_contents c ON c.seq = m.seq WHERE LENGTH(c.raw) <> COALESCE(m.kept, m.size)",
    "SELECT 'conversation conv_' || ID[c.id] || ' has ' || COALESCE(m.messages, 0)
        || ' messages, but is counted with ' || c.messages AS finding
     FROM conversations c
     LEFT JOIN (SELECT conversation_id, COUNT(*) AS messages FROM messages GROUP BY conversation_id) m
        ON m.conversation_id = c.id
     WHERE COALESCE(m.messages, 0) <> c.messages",
    "SELECT 'message msg_' || ID[m.id] || ' has ' || COALESCE(a.files, 0)
        || ' attachments, but is counted with ' || m.attachments AS finding
     FROM messages m LEFT JOIN (SELECT seq, COUNT(*) AS files FROM attachments GROUP BY seq) a ON a.seq = m.seq
     WHERE COALESCE(a.files, 0) <> m.attachments",
    // These counters include messages that have since been deleted.
    "SELECT 'alias ' || a.local || '@' || a.domain_name || ' has ' || m.received || ' delivered messages and '
        || m.denied || ' others, but is counted with ' || a.received || ' and ' || a.denied AS finding
     FROM aliases a
     JOIN (SELECT alias_id, COUNT(CASE WHEN state = 'delivered' THEN 1 END) AS received,
        COUNT(CASE WHEN state <> 'delivered' THEN 1 END) AS denied FROM messages GROUP BY alias_id) m
        ON m.alias_id = a.id
     WHERE m.received > a.received OR m.denied > a.denied",
    "SELECT 'contact ' || c.address || ' sent ' || m.messages || ' messages, but is counted with '
        || c.received AS finding
     FROM contacts c
     JOIN (SELECT contact_id, COUNT(*) AS messages FROM messages GROUP BY contact_id) m ON m.contact_id = c.id
     WHERE m.messages > c.received",
    // These counters include calls that have since been deleted.
    "SELECT 'team ' || t.name || ' made ' || a.calls || ' calls in an hour that is counted with '
        || (h.succeeded + h.refused + h.limited + h.failed) AS finding
     FROM call_counts h JOIN teams t ON t.id = h.team_id
     JOIN (SELECT team_id, at / 3600000000 AS hour, SUM(count) AS calls
        FROM activity WHERE at >= (SELECT MIN(began) FROM call_counts)
        AND kind IN ('api.request', 'api.refused') GROUP BY team_id, at / 3600000000) a
        ON a.team_id = h.team_id AND a.hour = h.began / 3600000000
     WHERE LENGTH(h.token_id) = 0 AND NOT h.cut_off
        AND a.calls > h.succeeded + h.refused + h.limited + h.failed",
    // Orphaned rows.
    "SELECT 'message msg_' || ID[m.id] || ' has no content' AS finding FROM messages m
     WHERE NOT EXISTS (SELECT 1 FROM message_contents c WHERE c.seq = m.seq AND c.team_id = m.team_id)",
    "SELECT 'the content at ' || c.seq || ' belongs to no message' AS finding FROM message_contents c
     WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.seq = c.seq AND m.team_id = c.team_id)",
    "SELECT 'attachment att_' || ID[a.id] || ' belongs to no message' AS finding FROM attachments a
     WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.seq = a.seq AND m.team_id = a.team_id)",
    "SELECT 'message msg_' || ID[m.id] || ' is in a conversation that is missing' AS finding FROM messages m
     WHERE m.conversation_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM conversations c WHERE c.id = m.conversation_id AND c.team_id = m.team_id)",
    "SELECT 'message msg_' || ID[m.id] || ' is of an alias of another team' AS finding FROM messages m
     JOIN aliases a ON a.id = m.alias_id WHERE a.team_id <> m.team_id",
    "SELECT 'alias ' || a.local || '@' || a.domain_name || ' is on a domain of another team' AS finding
     FROM aliases a JOIN domains d ON d.id = a.domain_id WHERE a.team_id <> d.team_id",
    "SELECT 'the catch-all of domain ' || d.name || ' is missing' AS finding FROM domains d
     WHERE d.catch_all_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM aliases a WHERE a.id = d.catch_all_id AND a.team_id = d.team_id)",
    "SELECT 'there are teams, but the instance is not set up' AS finding FROM instance
     WHERE set_up_at IS NULL AND EXISTS (SELECT 1 FROM teams)",
    "SELECT 'the instance has ' || COUNT(*) || ' rows instead of one' AS finding FROM instance HAVING COUNT(*) <> 1",
];

/// Uses the table behind SQLite's virtual table of words, which shows no rows.
const SQLITE: &[&str] = &[
    "SELECT 'message msg_' || ID[m.id] || ' is found by no word' AS finding FROM messages m
     WHERE NOT EXISTS (SELECT 1 FROM message_words_docsize w WHERE w.id = m.seq)",
    "SELECT 'the words at ' || w.id || ' belong to no message' AS finding FROM message_words_docsize w
     WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.seq = w.id)",
];

const POSTGRES: &[&str] = &[
    "SELECT 'message msg_' || ID[m.id] || ' is found by no word' AS finding FROM messages m
     WHERE NOT EXISTS (SELECT 1 FROM message_words w WHERE w.seq = m.seq AND w.team_id = m.team_id)",
    "SELECT 'the words at ' || w.seq || ' belong to no message' AS finding FROM message_words w
     WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.seq = w.seq AND m.team_id = w.team_id)",
];

pub fn of_engine(engine: &Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite(_) => SQLITE,
        Engine::Postgres(_) => POSTGRES,
    }
}
