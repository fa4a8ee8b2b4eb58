-- `ada` for `ada+news`. Creating `ada` and starting the server look for other teams' aliases that
-- begin with `ada+`.
ALTER TABLE aliases ADD COLUMN base_key TEXT GENERATED ALWAYS AS (
    CASE WHEN instr(local_key, '+') > 0 THEN substr(local_key, 1, instr(local_key, '+') - 1) END
) VIRTUAL;
CREATE INDEX aliases_tagged ON aliases (base_key) WHERE domain_id IS NULL AND base_key IS NOT NULL;
