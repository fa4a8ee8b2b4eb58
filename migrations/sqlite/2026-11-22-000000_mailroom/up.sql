-- Domains that teams have added. Several teams can add one name; it is active for the one that has
-- proved it. The row stays when a team removes the domain: its aliases return with it, and deleted
-- ones stay reserved.
CREATE TABLE domains (
    id               BLOB   NOT NULL PRIMARY KEY,
    team_id          BLOB   NOT NULL REFERENCES teams (id),
    name             TEXT   NOT NULL,           -- lower case, ASCII
    proof            TEXT   NOT NULL,           -- the required value of the TXT record
    created_at       BIGINT NOT NULL,
    created_by_label TEXT   NOT NULL,
    verified_at      BIGINT,
    proof_seen_at    BIGINT,                    -- when the TXT record was last found
    suspended_at     BIGINT,
    checked_at       BIGINT,
    removed_at       BIGINT,
    findings         TEXT   NOT NULL,           -- JSON: each record, its state and what was found
    catch_all_id     BLOB,
    CHECK (removed_at IS NULL OR verified_at IS NULL)
);
CREATE UNIQUE INDEX domains_of_team ON domains (team_id, name);
CREATE UNIQUE INDEX domains_in_force ON domains (name)
    WHERE verified_at IS NOT NULL AND suspended_at IS NULL;
CREATE INDEX domains_due ON domains (checked_at) WHERE removed_at IS NULL;
CREATE INDEX domains_by_name ON domains (name);

-- Addresses that receive mail; without a domain, on the shared domain. A deleted row stays, so that
-- no other team gets its mail.
CREATE TABLE aliases (
    id               BLOB    NOT NULL PRIMARY KEY,
    team_id          BLOB    NOT NULL REFERENCES teams (id),
    domain_id        BLOB    REFERENCES domains (id),
    domain_name      TEXT    NOT NULL,
    local            TEXT    NOT NULL,
    local_key        TEXT    NOT NULL,          -- lower case
    note             TEXT,
    enabled          BOOLEAN NOT NULL,
    created_at       BIGINT  NOT NULL,
    created_by_label TEXT    NOT NULL,
    deleted_at       BIGINT,
    deleted_by_label TEXT,
    received         BIGINT  NOT NULL,
    denied           BIGINT  NOT NULL,
    last_received_at BIGINT,
    CHECK ((deleted_at IS NULL) = (deleted_by_label IS NULL))
);
CREATE UNIQUE INDEX aliases_shared ON aliases (local_key) WHERE domain_id IS NULL;
CREATE UNIQUE INDEX aliases_own ON aliases (domain_id, local_key) WHERE domain_id IS NOT NULL;
CREATE INDEX aliases_by_team ON aliases (team_id, id) WHERE deleted_at IS NULL;

CREATE TABLE contacts (
    id            BLOB   NOT NULL PRIMARY KEY,
    team_id       BLOB   NOT NULL REFERENCES teams (id),
    address       TEXT   NOT NULL,
    address_key   TEXT   NOT NULL,              -- lower case
    name          TEXT,
    name_key      TEXT,                         -- lower case
    note          TEXT,
    state         TEXT   NOT NULL CHECK (state IN ('unset', 'allowed', 'blocked')),
    received      BIGINT NOT NULL,
    first_seen_at BIGINT,
    last_seen_at  BIGINT,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX contacts_by_address ON contacts (team_id, address_key);
CREATE INDEX contacts_by_team ON contacts (team_id, id);
CREATE INDEX contacts_by_state ON contacts (team_id, state, id) WHERE state <> 'unset';

CREATE TABLE conversations (
    id              BLOB   NOT NULL PRIMARY KEY,
    team_id         BLOB   NOT NULL REFERENCES teams (id),
    subject         TEXT   NOT NULL,
    subject_key     TEXT   NOT NULL,            -- without prefixes like Re:, in lower case
    contact_id      BLOB,
    state           TEXT   NOT NULL CHECK (state IN ('open', 'resolved')),
    messages        INTEGER NOT NULL,
    created_at      BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL
);
CREATE INDEX conversations_by_subject ON conversations (team_id, contact_id, subject_key, id);

-- Narrow rows keep lists fast; long fields are in message_contents under the same seq. No foreign
-- keys to contacts and conversations, because a message outlives them.
CREATE TABLE messages (
    seq             INTEGER NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL,
    team_id         BLOB    NOT NULL REFERENCES teams (id),
    direction       TEXT    NOT NULL CHECK (direction IN ('in', 'out')),
    state           TEXT    NOT NULL,
    reason          TEXT    NOT NULL,           -- the reason for the state
    alias_id        BLOB    NOT NULL REFERENCES aliases (id),
    contact_id      BLOB,
    conversation_id BLOB,
    header_id       TEXT,                       -- Message-ID without its brackets
    dedupe          BLOB    NOT NULL,           -- SHA-256 of Message-ID and body
    received_at     BIGINT  NOT NULL,
    envelope_from   TEXT,
    from_address    TEXT,
    from_name       TEXT,
    rcpt            TEXT    NOT NULL,           -- the recipient's address, with its tag
    subject         TEXT    NOT NULL,
    preview         TEXT    NOT NULL,
    size            BIGINT  NOT NULL,
    attachments     INTEGER NOT NULL,
    read_at         BIGINT,
    spf             TEXT    NOT NULL,
    dkim            TEXT    NOT NULL,
    dmarc           TEXT    NOT NULL
);
CREATE UNIQUE INDEX messages_by_team ON messages (team_id, id);
CREATE UNIQUE INDEX messages_once ON messages (alias_id, dedupe);
CREATE INDEX messages_by_alias ON messages (alias_id, id);
CREATE INDEX messages_by_contact ON messages (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE INDEX messages_by_conversation ON messages (conversation_id, contact_id, id)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX messages_by_state ON messages (team_id, state, id);
CREATE INDEX messages_unread ON messages (team_id, id) WHERE read_at IS NULL AND state = 'delivered';
CREATE INDEX messages_by_header ON messages (team_id, header_id) WHERE header_id IS NOT NULL;

CREATE TABLE message_contents (
    seq            INTEGER NOT NULL PRIMARY KEY,
    team_id        BLOB    NOT NULL,
    raw            BLOB    NOT NULL,
    text           TEXT    NOT NULL,
    html           TEXT,                        -- as sent; never shown unsanitized
    headers        TEXT    NOT NULL,            -- JSON: [[name, value], …]
    authentication TEXT    NOT NULL             -- JSON
);

-- The bytes are decoded from the raw message on request.
CREATE TABLE attachments (
    id           BLOB    NOT NULL PRIMARY KEY,
    team_id      BLOB    NOT NULL,
    seq          INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    name         TEXT,
    content_type TEXT    NOT NULL,
    size         BIGINT  NOT NULL,
    inline       BOOLEAN NOT NULL,
    content_id   TEXT
);
CREATE INDEX attachments_by_message ON attachments (seq, id);

-- The mail that a team stores, for its quota.
CREATE TABLE mail_stores (
    team_id  BLOB   NOT NULL PRIMARY KEY REFERENCES teams (id),
    bytes    BIGINT NOT NULL,
    messages BIGINT NOT NULL
);

-- Words of messages by seq. Each word begins with letters of its team, so that a search reads the
-- words of one team only.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '8 9'
);
