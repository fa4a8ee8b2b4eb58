-- Who sent an invitation, which ends with what they may give; NULL for the command line.
ALTER TABLE invitations ADD COLUMN inviter_id BLOB;
UPDATE invitations SET inviter_id = (SELECT id FROM users WHERE users.email = invitations.invited_by);
