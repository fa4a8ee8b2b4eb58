-- Messages received per UTC day, counted on arrival. alias_id is empty for the whole team. Rows are
-- deleted after a month.
CREATE TABLE mail_days (
    team_id   BLOB   NOT NULL,
    alias_id  BLOB   NOT NULL,
    day       BIGINT NOT NULL, -- its start
    delivered BIGINT NOT NULL,
    blocked   BIGINT NOT NULL, -- denied or rejected
    PRIMARY KEY (team_id, alias_id, day)
) WITHOUT ROWID;
CREATE INDEX mail_days_by_day ON mail_days (team_id, day);

INSERT INTO mail_days (team_id, alias_id, day, delivered, blocked)
SELECT team_id, alias_id, received_at / 86400000000 * 86400000000,
    COUNT(CASE WHEN state NOT IN ('denied', 'rejected') THEN 1 END),
    COUNT(CASE WHEN state IN ('denied', 'rejected') THEN 1 END)
FROM messages WHERE direction = 'in' GROUP BY 1, 2, 3;
INSERT INTO mail_days (team_id, alias_id, day, delivered, blocked)
SELECT team_id, X'', day, SUM(delivered), SUM(blocked) FROM mail_days GROUP BY team_id, day;
