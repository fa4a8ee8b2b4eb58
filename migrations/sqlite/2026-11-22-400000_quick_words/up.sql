-- Each commit adds a segment to the index of words. They are merged sixteen at a time instead of
-- four, so that a word is rewritten half as often, while a search reads some more segments. A
-- commit merges all of them only if they are added faster than they are merged.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 16);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 64);
