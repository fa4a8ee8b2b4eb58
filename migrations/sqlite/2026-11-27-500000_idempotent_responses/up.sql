-- Renames the table of responses to creations to the name in the code.
ALTER TABLE kept_answers RENAME TO idempotent_responses;
DROP INDEX kept_answers_by_age;
CREATE INDEX idempotent_responses_by_age ON idempotent_responses (at);
