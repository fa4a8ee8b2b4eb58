-- Responses to creations, for retries with the same key within a day. id is a hash of team, caller
-- and key; content is a hash of route and body.
CREATE TABLE kept_answers (
    id       BYTEA  NOT NULL PRIMARY KEY,
    team_id  BYTEA  NOT NULL REFERENCES teams (id),
    content  BYTEA  NOT NULL,
    at       BIGINT NOT NULL,
    location TEXT   NOT NULL,
    body     TEXT   NOT NULL -- JSON without secrets
);
CREATE INDEX kept_answers_by_age ON kept_answers (at);
