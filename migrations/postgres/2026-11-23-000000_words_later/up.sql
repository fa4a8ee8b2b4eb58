-- Words of messages that are not in the index yet: a few at once cost it a fraction of one
-- after another. A search reads these too.
CREATE TABLE unindexed_words (
    seq     BIGINT NOT NULL PRIMARY KEY,
    team_id BYTEA  NOT NULL,
    words   TEXT   NOT NULL
);
