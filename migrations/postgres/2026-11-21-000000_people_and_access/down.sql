DROP TABLE activity;
DROP FUNCTION activity_append_only;
DROP TABLE tokens;
DROP TABLE attempts;
DROP TABLE sessions;
DROP TABLE invitations;
DROP TABLE teams, memberships;
DROP TABLE users;
DROP TABLE instance;
