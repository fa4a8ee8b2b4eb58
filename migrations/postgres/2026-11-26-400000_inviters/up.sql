-- Who sent an invitation, which ends with what they may give; NULL for the command line.
ALTER TABLE invitations ADD COLUMN inviter_id BYTEA;
UPDATE invitations SET inviter_id = (SELECT id FROM users WHERE users.email = invitations.invited_by);
-- Whoever sent the others under another address cannot be found: their links end.
UPDATE invitations SET revoked_at = created_at
    WHERE inviter_id IS NULL AND invited_by <> 'command line' AND accepted_at IS NULL AND revoked_at IS NULL;
