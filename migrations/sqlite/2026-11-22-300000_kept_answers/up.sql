-- Responses to creations, for retries with the same key within a day. id is a hash of team, caller
-- and key; content is a hash of route and body.
CREATE TABLE kept_answers (
    id       BLOB   NOT NULL PRIMARY KEY,
    team_id  BLOB   NOT NULL REFERENCES teams (id),
    content  BLOB   NOT NULL,
    at       BIGINT NOT NULL,
    location TEXT   NOT NULL,
    body     TEXT   NOT NULL -- JSON without secrets
);
CREATE INDEX kept_answers_by_age ON kept_answers (at);
