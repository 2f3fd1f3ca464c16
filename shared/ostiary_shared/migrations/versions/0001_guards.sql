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

-- The two roles that Ostiary itself needs stay, and `admin` keeps every permission it has: without them nobody could
-- administer, and the check above would look in vain for a role of that name.
CREATE FUNCTION keep_needed_roles() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.name IN ('admin', 'end-user') AND (TG_OP = 'DELETE' OR NEW.name <> OLD.name) THEN
        RAISE EXCEPTION 'the role % is part of Ostiary', OLD.name USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER keep_needed_roles BEFORE DELETE OR UPDATE OF name ON roles
    FOR EACH ROW EXECUTE FUNCTION keep_needed_roles();

CREATE FUNCTION keep_admin_permissions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM roles WHERE id = OLD.role_id AND name = 'admin') THEN
        RAISE EXCEPTION 'the role admin permits everything' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER keep_admin_permissions BEFORE DELETE OR UPDATE ON role_permissions
    FOR EACH ROW EXECUTE FUNCTION keep_admin_permissions();

-- What has ended stays ended, whoever asks: a revoked session or link never comes back to life.
CREATE FUNCTION what_ended_stays_ended() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what has ended stays ended' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER stays_ended BEFORE UPDATE OF ended_at ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    EXECUTE FUNCTION what_ended_stays_ended();

CREATE TRIGGER stays_ended BEFORE UPDATE OF ended_at ON role_grants FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    EXECUTE FUNCTION what_ended_stays_ended();

CREATE TRIGGER stays_consumed BEFORE UPDATE OF consumed_at ON one_time_tokens FOR EACH ROW
    WHEN (OLD.consumed_at IS NOT NULL AND NEW.consumed_at IS DISTINCT FROM OLD.consumed_at)
    EXECUTE FUNCTION what_ended_stays_ended();

CREATE TRIGGER stays_voided BEFORE UPDATE OF voided_at ON one_time_tokens FOR EACH ROW
    WHEN (OLD.voided_at IS NOT NULL AND NEW.voided_at IS DISTINCT FROM OLD.voided_at)
    EXECUTE FUNCTION what_ended_stays_ended();

-- History is only ever added to, whoever asks: the owner of the table included.
CREATE FUNCTION audit_is_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
