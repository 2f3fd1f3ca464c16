-- Every upgrade says here which releases may go on serving: those that knew the schema since `lives_with`.
CREATE TABLE schema_revisions (
    revision text NOT NULL CONSTRAINT pk_schema_revisions PRIMARY KEY,
    lives_with text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    backup text DEFAULT '' NOT NULL
);

GRANT SELECT ON schema_revisions TO ostiary_auth, ostiary_admin;

-- The request on whose behalf a mail was promised, as all log lines have it.
ALTER TABLE messages ADD COLUMN request_id text DEFAULT '' NOT NULL;
