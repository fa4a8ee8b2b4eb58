-- Calls of past hours by outcome, counted once. token_id is empty for the whole team, which has a row
-- for its last counted hour even without calls. cut_off: there were more.
CREATE TABLE call_counts (
    team_id   BLOB    NOT NULL,
    token_id  BLOB    NOT NULL,
    began     BIGINT  NOT NULL,
    succeeded BIGINT  NOT NULL, -- below 400
    refused   BIGINT  NOT NULL, -- 4xx other than 429
    limited   BIGINT  NOT NULL, -- 429
    failed    BIGINT  NOT NULL, -- 5xx
    cut_off   BOOLEAN NOT NULL,
    PRIMARY KEY (team_id, token_id, began)
) WITHOUT ROWID;
-- The old table's hours have no outcomes, so they are counted again.
DROP TABLE call_hours;
