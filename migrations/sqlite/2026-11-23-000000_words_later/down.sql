INSERT INTO message_words (rowid, words) SELECT seq, words FROM unindexed_words;
DROP TABLE unindexed_words;
