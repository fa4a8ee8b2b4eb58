-- The sender of an invitation, which ends when they may no longer send it; NULL for the command
-- line.
ALTER TABLE invitations ADD COLUMN inviter_id BYTEA;
UPDATE invitations SET inviter_id = (SELECT id FROM users WHERE users.email = invitations.invited_by);
-- The senders of other invitations have changed their address and cannot be found, so these links
-- end.
UPDATE invitations SET revoked_at = created_at
    WHERE inviter_id IS NULL AND invited_by <> 'command line' AND accepted_at IS NULL AND revoked_at IS NULL;
