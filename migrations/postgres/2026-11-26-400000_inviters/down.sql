ALTER TABLE invitations DROP COLUMN inviter_id;
