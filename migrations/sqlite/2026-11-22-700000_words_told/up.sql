-- Which words there are: a search for the beginning of a word names those that begin so.
CREATE VIRTUAL TABLE message_terms USING fts5vocab ('message_words', 'instance');
