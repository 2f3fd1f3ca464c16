-- What the database itself promises, whatever a service does.

-- Administrators for good: living, unlocked, confirmed, holding `admin` by a grant without an end.
CREATE FUNCTION usable_admins() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT count(*)
    FROM role_grants g JOIN roles r ON r.id = g.role_id JOIN users u ON u.id = g.user_id
    WHERE r.name = 'admin' AND g.ended_at IS NULL AND g.expires_at IS NULL
      AND u.confirmed_at IS NOT NULL AND u.locked_at IS NULL AND u.deleted_at IS NULL
$$;

-- Deferred: it judges what would be committed. The lock makes two administrators who demote each other at the
-- same moment take turns, so that the second sees what the first left.
CREATE FUNCTION keep_an_admin() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5706148);
    IF usable_admins() = 0 THEN
        RAISE EXCEPTION 'the last usable administrator must stay'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'at_least_one_admin';
    END IF;
END
$$;

-- Only what took an administrator away is judged: an empty database may stay without one.
CREATE FUNCTION keep_an_admin_grant() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM roles WHERE id = OLD.role_id AND name = 'admin') THEN
        PERFORM keep_an_admin();
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION keep_an_admin_user() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM role_grants g JOIN roles r ON r.id = g.role_id 
               WHERE g.user_id = OLD.id AND r.name = 'admin' AND g.ended_at IS NULL AND g.expires_at IS NULL) THEN
        PERFORM keep_an_admin();
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER at_least_one_admin AFTER UPDATE OR DELETE ON role_grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at IS NULL)
    EXECUTE FUNCTION keep_an_admin_grant();

CREATE CONSTRAINT TRIGGER at_least_one_admin AFTER UPDATE OF locked_at, deleted_at, confirmed_at OR DELETE ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.locked_at IS NULL AND OLD.deleted_at IS NULL AND OLD.confirmed_at IS NOT NULL)
    EXECUTE FUNCTION keep_an_admin_user();

-- History is only ever added to, whoever asks: the owner of the table included.
CREATE FUNCTION audit_is_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
