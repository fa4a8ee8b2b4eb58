-- `ada` for `ada+news`. Whether a team has addresses before whose + there is another's name is
-- asked when that name is taken, and when the server starts.
ALTER TABLE aliases ADD COLUMN base_key TEXT GENERATED ALWAYS AS (
    CASE WHEN instr(local_key, '+') > 0 THEN substr(local_key, 1, instr(local_key, '+') - 1) END
) VIRTUAL;
CREATE INDEX aliases_tagged ON aliases (base_key) WHERE domain_id IS NULL AND base_key IS NOT NULL;
