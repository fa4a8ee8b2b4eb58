-- Each commit adds a segment to the index of words. They are merged sixteen at a time instead of
-- four, so that a word is written anew half as often; who searches looks into some more of them.
-- All at once, while somebody waits, only when they come faster than they are merged.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 16);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 64);
