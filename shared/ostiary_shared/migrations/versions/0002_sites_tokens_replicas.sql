-- Replicas and what they are told, ordered site rules in full, sessions of one site alone, tokens for machines.

CREATE TABLE replicas (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT pk_replicas PRIMARY KEY,
    name text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heard_at timestamp with time zone DEFAULT now() NOT NULL,
    beats bigint DEFAULT 0 NOT NULL,
    acknowledged bigint DEFAULT 0 NOT NULL
);

CREATE TABLE receipts (
    audit_event_id uuid NOT NULL CONSTRAINT pk_receipts PRIMARY KEY,
    milliseconds integer NOT NULL,
    acknowledged text[] DEFAULT '{}' NOT NULL,
    lapsed text[] DEFAULT '{}' NOT NULL
);

CREATE SEQUENCE revocations;

CREATE TABLE site_sessions (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT pk_site_sessions PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT fk_site_sessions_session_id REFERENCES sessions (id) ON DELETE CASCADE,
    host text NOT NULL,
    token_digest bytea NOT NULL CONSTRAINT uq_site_sessions_token_digest UNIQUE,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE INDEX ix_site_sessions_session_id ON site_sessions (session_id);

CREATE TABLE api_tokens (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT pk_api_tokens PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_api_tokens_user_id REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    token_digest bytea NOT NULL CONSTRAINT uq_api_tokens_token_digest UNIQUE,
    scopes text[] DEFAULT '{}' NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_reason text DEFAULT '' NOT NULL
);

CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id, created_at);

CREATE TABLE service_clients (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT pk_service_clients PRIMARY KEY,
    client_id text NOT NULL CONSTRAINT uq_service_clients_client_id UNIQUE,
    name text NOT NULL,
    secret_digest bytea NOT NULL,
    scopes text[] DEFAULT '{}' NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid CONSTRAINT fk_service_clients_created_by REFERENCES users (id) ON DELETE SET NULL,
    last_used_at timestamp with time zone,
    disabled_at timestamp with time zone
);

-- A signed token lives for minutes; one that is revoked earlier is remembered until then.
CREATE TABLE revoked_tokens (
    jti text NOT NULL CONSTRAINT pk_revoked_tokens PRIMARY KEY,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE site_rules
    ADD COLUMN match text DEFAULT 'prefix' NOT NULL,
    ADD COLUMN networks cidr[] DEFAULT '{}' NOT NULL,
    ADD COLUMN roles text[] DEFAULT '{}' NOT NULL,
    ADD COLUMN assurance smallint DEFAULT 1 NOT NULL,
    ADD COLUMN fresh_minutes integer,
    DROP CONSTRAINT ck_site_rules_asks_known,
    ADD CONSTRAINT ck_site_rules_asks_known
        CHECK (asks IN ('anyone', 'signed_in', 'role', 'any_role', 'all_roles', 'permission')),
    ADD CONSTRAINT ck_site_rules_match_known CHECK (match IN ('prefix', 'exact')),
    ADD CONSTRAINT ck_site_rules_assurance_range CHECK (assurance BETWEEN 1 AND 3),
    ADD CONSTRAINT ck_site_rules_fresh_range CHECK (fresh_minutes BETWEEN 1 AND 10080);

-- A new key is shown to verifiers before anything is signed with it.
ALTER TABLE signing_keys ADD COLUMN signs_from timestamp with time zone DEFAULT now() NOT NULL;
