DROP TABLE schema_revisions;

ALTER TABLE messages DROP COLUMN request_id;
