-- What each service may do, column by column. The admin service has no right at all on password hashes,
-- token digests and signing keys; nobody may change an audit row.

GRANT USAGE ON SCHEMA public TO ostiary_auth, ostiary_admin;
GRANT SELECT ON alembic_version TO ostiary_auth, ostiary_admin;
GRANT EXECUTE ON FUNCTION usable_admins() TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON counters TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT ON audit_events TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT ON denials TO ostiary_auth, ostiary_admin;
GRANT UPDATE (count, last_at) ON denials TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT ON users, roles, role_permissions, role_grants TO ostiary_auth, ostiary_admin;

GRANT UPDATE (email, name, confirmed_at, last_seen_at) ON users TO ostiary_auth;
GRANT UPDATE (ended_at) ON role_grants TO ostiary_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON passwords, sessions, one_time_tokens TO ostiary_auth;
GRANT SELECT, INSERT, UPDATE ON messages, signing_keys TO ostiary_auth;
GRANT DELETE ON messages, denials TO ostiary_auth;
GRANT SELECT ON sites, site_rules TO ostiary_auth;

GRANT UPDATE (email, name, confirmed_at, locked_at, locked_reason, deleted_at) ON users TO ostiary_admin;
GRANT UPDATE (description), DELETE ON roles TO ostiary_admin;
GRANT DELETE ON role_permissions TO ostiary_admin;
GRANT UPDATE (ended_at, ended_by) ON role_grants TO ostiary_admin;
GRANT SELECT (id, user_id, rotated_at, assurance, methods, created_at, authenticated_at, last_seen_at, expires_at,
              idle_limit, ip, user_agent, ended_at, ended_reason) ON sessions TO ostiary_admin;
GRANT UPDATE (ended_at, ended_reason) ON sessions TO ostiary_admin;
GRANT SELECT (id, purpose, user_id, email, created_at, expires_at, consumed_at, voided_at) ON one_time_tokens
    TO ostiary_admin;
GRANT UPDATE (voided_at) ON one_time_tokens TO ostiary_admin;
GRANT SELECT, INSERT ON messages TO ostiary_admin;
GRANT UPDATE (dropped_at, last_reply) ON messages TO ostiary_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON sites, site_rules TO ostiary_admin;
