-- The distinct words, which a search for a prefix reads.
CREATE VIRTUAL TABLE message_terms USING fts5vocab ('message_words', 'instance');
