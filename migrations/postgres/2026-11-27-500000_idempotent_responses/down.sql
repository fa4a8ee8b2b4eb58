DROP INDEX idempotent_responses_by_age;
ALTER TABLE idempotent_responses RENAME TO kept_answers;
CREATE INDEX kept_answers_by_age ON kept_answers (at);
