-- Whoever revokes counts the replicas and forgets those that died; only auth has any.
GRANT SELECT, DELETE ON replicas TO ostiary_auth, ostiary_admin;
GRANT INSERT, UPDATE ON replicas TO ostiary_auth;
GRANT USAGE ON SEQUENCE revocations TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT ON receipts TO ostiary_auth, ostiary_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON site_sessions, api_tokens, service_clients, revoked_tokens TO ostiary_auth;
GRANT SELECT (id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at, revoked_reason)
    ON api_tokens TO ostiary_admin;
GRANT UPDATE (revoked_at, revoked_reason) ON api_tokens TO ostiary_admin;
GRANT SELECT (id, client_id, name, scopes, created_at, created_by, last_used_at, disabled_at)
    ON service_clients TO ostiary_admin;
GRANT UPDATE (disabled_at) ON service_clients TO ostiary_admin;
