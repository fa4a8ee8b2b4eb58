-- Times are BIGINT microseconds since 1970 UTC and ids are 16-byte UUIDv7, so that both engines
-- store and sort exactly the same values.

-- One row. The transaction that creates the first person claims set_up_at; key_check detects a
-- wrong GATEPOST_SECRET_KEY before anything is sealed with it.
CREATE TABLE instance (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    set_up_at BIGINT,
    key_check BLOB
);
INSERT INTO instance (id) VALUES (1);

CREATE TABLE users (
    id                  BLOB   NOT NULL PRIMARY KEY,
    email               TEXT   NOT NULL,
    email_key           TEXT   NOT NULL UNIQUE, -- lower case
    name                TEXT   NOT NULL,
    password_hash       TEXT   NOT NULL,        -- PHC string
    password_changed_at BIGINT NOT NULL,
    created_at          BIGINT NOT NULL
);

-- The owner is a column, not a role, so that a team always has exactly one. The deferred key makes
-- the owner a member too, so removing the owner cannot commit.
CREATE TABLE teams (
    id          BLOB    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL UNIQUE,        -- lower case
    plan        TEXT    NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
    owner_id    BLOB    NOT NULL,
    api_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    created_at  BIGINT  NOT NULL,
    FOREIGN KEY (id, owner_id) REFERENCES memberships (team_id, user_id) DEFERRABLE INITIALLY DEFERRED
);

-- The owner's row says admin, the role they keep after transferring ownership.
CREATE TABLE memberships (
    team_id    BLOB   NOT NULL REFERENCES teams (id),
    user_id    BLOB   NOT NULL REFERENCES users (id),
    role       TEXT   NOT NULL CHECK (role IN ('admin', 'member')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE invitations (
    id          BLOB   NOT NULL PRIMARY KEY,
    team_id     BLOB   NOT NULL REFERENCES teams (id),
    email       TEXT   NOT NULL,
    email_key   TEXT   NOT NULL,
    role        TEXT   NOT NULL CHECK (role IN ('admin', 'member')),
    secret_hash BLOB   NOT NULL UNIQUE,         -- SHA-256 of the one-time link's secret
    invited_by  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    accepted_at BIGINT,
    revoked_at  BIGINT
);
CREATE UNIQUE INDEX invitations_open ON invitations (team_id, email_key)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;

CREATE TABLE sessions (
    id           BLOB   NOT NULL PRIMARY KEY,
    key_hash     BLOB   NOT NULL UNIQUE,        -- SHA-256 of the cookie's value
    user_id      BLOB   NOT NULL REFERENCES users (id),
    team_id      BLOB   REFERENCES teams (id),  -- the current team
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    password_at  BIGINT NOT NULL,               -- when the password was last entered
    ip           TEXT,
    agent        TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Counters of attempts, by a hash of the account or address.
CREATE TABLE attempts (
    key          BLOB    NOT NULL PRIMARY KEY,
    window_start BIGINT  NOT NULL,
    count        INTEGER NOT NULL
);
CREATE INDEX attempts_by_window ON attempts (window_start);

-- NULL in scopes, expires_at, hourly_cap and allow_list means no restriction.
CREATE TABLE tokens (
    id               BLOB   NOT NULL PRIMARY KEY,
    team_id          BLOB   NOT NULL REFERENCES teams (id),
    kind             TEXT   NOT NULL CHECK (kind IN ('token', 'team_key')),
    public_id        TEXT   NOT NULL UNIQUE,
    hash             BLOB   NOT NULL,           -- SHA-256 of the whole token
    start            TEXT   NOT NULL,           -- prefix and first 8 characters, for lists
    sealed           BLOB,                      -- only for the team key: XChaCha20-Poly1305
    name             TEXT   NOT NULL,
    name_key         TEXT   NOT NULL,
    created_by       BLOB   REFERENCES users (id),
    created_by_label TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT,
    scopes           TEXT,
    hourly_cap       INTEGER,
    allow_list       TEXT,
    last_used_at     BIGINT,
    last_used_ip     TEXT,
    last_used_agent  TEXT,
    revoked_at       BIGINT,
    revoked_by_label TEXT,
    revoke_reason    TEXT,
    CHECK ((revoked_at IS NULL) = (revoked_by_label IS NULL))
);
CREATE UNIQUE INDEX tokens_active_name ON tokens (team_id, name_key)
    WHERE revoked_at IS NULL AND kind = 'token';
CREATE UNIQUE INDEX tokens_one_team_key ON tokens (team_id)
    WHERE revoked_at IS NULL AND kind = 'team_key';
CREATE INDEX tokens_by_team ON tokens (team_id, id);

-- API requests and changes. No foreign keys, because records outlive what they refer to.
-- Clustered by team, so that a page is one range of one tree.
CREATE TABLE activity (
    team_id     BLOB     NOT NULL,
    id          BLOB     NOT NULL,
    at          BIGINT   NOT NULL,
    kind        TEXT     NOT NULL,
    actor_kind  TEXT     NOT NULL,
    person_id   BLOB,
    token_id    BLOB,
    actor_label TEXT,
    subject     TEXT,
    method      TEXT,
    route       TEXT,
    status      SMALLINT,
    duration_us INTEGER,
    ip          TEXT,
    agent       TEXT,
    request_id  BLOB,
    detail      TEXT,
    count       INTEGER  NOT NULL DEFAULT 1,
    PRIMARY KEY (team_id, id)
) WITHOUT ROWID;
CREATE INDEX activity_by_token ON activity (team_id, token_id, id) WHERE token_id IS NOT NULL;
CREATE INDEX activity_by_person ON activity (team_id, person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX activity_changes ON activity (team_id, id) WHERE kind <> 'api.request';
CREATE INDEX activity_refused ON activity (team_id, id) WHERE status >= 400;

CREATE TRIGGER activity_no_update BEFORE UPDATE ON activity
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;
