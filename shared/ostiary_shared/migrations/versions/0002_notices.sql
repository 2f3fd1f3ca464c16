-- What every replica must hear, told by the database itself, so that no way of changing a row forgets it. One channel:
--   s DIGEST   forget what is known of this token (the first 16 bytes of its digest, in hex: worth nothing by itself)
--   *          forget everything that is known of anybody
--   w          read the sites anew        k   read the signing keys anew
-- (and, sent by replicas and whoever revokes: h REPLICA BEAT and b NUMBER.)

CREATE FUNCTION tell(notice text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ostiary', notice);
    PERFORM set_config('ostiary.told', 'yes', true);
END
$$;

CREATE FUNCTION tell_of_token(digest bytea) RETURNS void
LANGUAGE sql AS $$
    SELECT tell('s ' || encode(substring(digest FOR 16), 'hex')) WHERE digest IS NOT NULL
$$;

-- Everything that a person carries: sessions, their tokens for single sites, API tokens.
CREATE FUNCTION tell_of_user(who uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT tell_of_token(digest) FROM (
        SELECT unnest(ARRAY[s.token_digest, s.previous_digest]) AS digest
        FROM sessions s WHERE s.user_id = who AND s.ended_at IS NULL
        UNION ALL
        SELECT t.token_digest FROM site_sessions t JOIN sessions s ON s.id = t.session_id
        WHERE s.user_id = who AND s.ended_at IS NULL
        UNION ALL
        SELECT token_digest FROM api_tokens WHERE user_id = who AND revoked_at IS NULL
    ) carried
$$;

CREATE FUNCTION session_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('ostiary.everybody', true) = 'yes' THEN -- who ends everything tells it in one word
        RETURN OLD;
    END IF;
    PERFORM tell_of_token(OLD.token_digest), tell_of_token(OLD.previous_digest);
    PERFORM tell_of_token(token_digest) FROM site_sessions WHERE session_id = OLD.id;
    RETURN OLD; -- with nothing, a row that is to be deleted would stay
END
$$;

CREATE TRIGGER tell AFTER UPDATE ON sessions FOR EACH ROW
    WHEN ((OLD.ended_at, OLD.token_digest, OLD.previous_digest, OLD.user_id, OLD.expires_at, OLD.idle_limit,
           OLD.assurance, OLD.methods, OLD.authenticated_at)
          IS DISTINCT FROM
          (NEW.ended_at, NEW.token_digest, NEW.previous_digest, NEW.user_id, NEW.expires_at, NEW.idle_limit,
           NEW.assurance, NEW.methods, NEW.authenticated_at))
    EXECUTE FUNCTION session_changed();

CREATE TRIGGER tell_of_deletion BEFORE DELETE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION session_changed();

CREATE FUNCTION token_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_of_token(OLD.token_digest);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell AFTER DELETE OR UPDATE OF user_id, token_digest, scopes, expires_at, revoked_at ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION token_changed();

CREATE TRIGGER tell AFTER DELETE OR UPDATE ON site_sessions FOR EACH ROW EXECUTE FUNCTION token_changed();

CREATE FUNCTION user_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_of_user(OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.email, OLD.name, OLD.confirmed_at, OLD.locked_at, OLD.locked_reason, OLD.deleted_at)
          IS DISTINCT FROM (NEW.email, NEW.name, NEW.confirmed_at, NEW.locked_at, NEW.locked_reason, NEW.deleted_at))
    EXECUTE FUNCTION user_changed();

-- Whoever starts a session or makes a token for a person holds their row (users.hold_alone): so does this, that no
-- token comes to be between our looking for them and our commit.
CREATE FUNCTION grant_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM users WHERE id IN (OLD.user_id, NEW.user_id) ORDER BY id FOR NO KEY UPDATE;
    PERFORM tell_of_user(who) FROM (SELECT unnest(ARRAY[OLD.user_id, NEW.user_id]) AS who) concerned;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON role_grants FOR EACH ROW EXECUTE FUNCTION grant_changed();

CREATE FUNCTION notice_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(TG_ARGV[0]);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON role_permissions FOR EACH ROW
    EXECUTE FUNCTION notice_changed('*');
CREATE TRIGGER tell AFTER DELETE OR UPDATE OF name ON roles FOR EACH ROW EXECUTE FUNCTION notice_changed('*');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON sites FOR EACH ROW EXECUTE FUNCTION notice_changed('w');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON site_rules FOR EACH ROW EXECUTE FUNCTION notice_changed('w');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON signing_keys FOR EACH ROW
    EXECUTE FUNCTION notice_changed('k');
