DROP INDEX contacts_by_last_message;
