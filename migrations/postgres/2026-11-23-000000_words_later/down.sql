INSERT INTO message_words SELECT seq, team_id, array_to_tsvector(string_to_array(words, ' ')) FROM unindexed_words;
DROP TABLE unindexed_words;
