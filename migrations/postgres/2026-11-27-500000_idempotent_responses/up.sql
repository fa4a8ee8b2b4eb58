-- Responses to creations, by Idempotency-Key, under the name the code has for them.
ALTER TABLE kept_answers RENAME TO idempotent_responses;
DROP INDEX kept_answers_by_age;
CREATE INDEX idempotent_responses_by_age ON idempotent_responses (at);
