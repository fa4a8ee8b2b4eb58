DROP TABLE message_terms;
