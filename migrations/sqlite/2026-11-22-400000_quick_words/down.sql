INSERT INTO message_words (message_words, rank) VALUES ('automerge', 4);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 16);
