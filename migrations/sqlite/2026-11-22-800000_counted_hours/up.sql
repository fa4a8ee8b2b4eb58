-- Stored counts of past hours. cut_off: there were more calls than were counted.
CREATE TABLE call_hours (
    team_id  BLOB    NOT NULL,
    began    BIGINT  NOT NULL,
    answered BIGINT  NOT NULL,
    refused  BIGINT  NOT NULL,
    cut_off  BOOLEAN NOT NULL,
    PRIMARY KEY (team_id, began)
) WITHOUT ROWID;
