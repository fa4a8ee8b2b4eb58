DROP TABLE mail_days;
