-- The event log, in a schema of its own. Everything that has to be one transaction, or one moment, is a function here, so that
-- it takes one trip from a node to the server.
--
-- Three kinds of advisory locks, told apart by the upper 16 bits of their keys (see `keys.rs`):
--   4085  shared, until the end of a transaction that writes: "I may use positions above the lower 48 bits"
--   4086  exclusive, for the moment in which positions are drawn
--   4087  exclusive, as long as a node works on a clone

-- The oldest version of these tables that a node must know to work with them as they are now.
CREATE TABLE compatibility (schema_version bigint NOT NULL);
INSERT INTO compatibility VALUES (1);

CREATE TABLE event (
    position bigint PRIMARY KEY,
    category text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    -- Microseconds since 1970; never less than that of a lower position.
    recorded_at bigint NOT NULL,
    -- The append that the event came with: by it a writer whose connection broke learns whether it was recorded.
    append_id uuid NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    event_version text COLLATE "C" NOT NULL,
    -- JSON, byte for byte as it was written.
    metadata text NOT NULL,
    payload text NOT NULL,
    UNIQUE (category, key, version)
);

-- Batches of a clone's states are big texts: with LZ4 a clone takes a sixth less time, and half again the space. Not every server
-- has it (PostgreSQL 13, or one that was built without).
DO $$ BEGIN
    EXECUTE 'ALTER TABLE event ALTER payload SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END $$;

-- The commands that must never be done twice, and where the last of their events is.
CREATE TABLE command (
    id uuid PRIMARY KEY,
    append_id uuid NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL
);

-- Registers that keep their value whatever becomes of the transaction that set it: the last position and the last time given out.
CREATE SEQUENCE event_position MINVALUE 1 CACHE 1;
CREATE SEQUENCE event_time MINVALUE 1 CACHE 1;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no event is ever changed or deleted';
END $$;
CREATE TRIGGER event_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The last position that was given out.
CREATE FUNCTION drawn_position() RETURNS bigint LANGUAGE sql VOLATILE
    AS 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM event_position';

-- Gives the transaction `count` consecutive positions, and the time of their events. Times and positions are drawn together,
-- one transaction after the other, so that both rise together; the lock is held only here and not until the commit.
-- Before the positions are drawn, the transaction makes known that all below `first` is none of its business (4085).
CREATE FUNCTION draw_positions(count bigint, OUT first bigint, OUT recorded_at bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    gate CONSTANT bigint := 4085::bigint << 48;
    turn CONSTANT bigint := 4086::bigint << 48;
    last bigint;
BEGIN
    PERFORM pg_advisory_lock(turn);
    BEGIN
        last := drawn_position();
        PERFORM pg_advisory_xact_lock_shared(gate | last);
        PERFORM setval('event_position', last + count);
        -- Held back if the server's clock went back.
        recorded_at := greatest(floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
            (SELECT last_value FROM event_time));
        PERFORM setval('event_time', recorded_at);
    EXCEPTION WHEN query_canceled OR others THEN
        PERFORM pg_advisory_unlock(turn);
        RAISE;
    END;
    PERFORM pg_advisory_unlock(turn);
    first := last + 1;
END $$;

-- The position up to which nothing can appear any more. Whoever reads rows up to it must do so in a later statement.
--
-- A position up to `drawn` was drawn before `drawn` was read, and its transaction had made itself known before that. When the
-- locks are read, that transaction either still holds its lock, and the position is above `in_flight`; or it has ended, and what
-- it did is visible to every later statement, because that comes before the release of locks.
CREATE FUNCTION settled_position(OUT settled bigint, OUT drawn bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    in_flight bigint;
BEGIN
    drawn := drawn_position();
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO in_flight
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 4085
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    settled := least(drawn, in_flight);
END $$;

-- The position of the last event up to `settled`, which was settled after the call began.
CREATE FUNCTION last_settled_event(OUT last bigint, OUT settled bigint, OUT drawn bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT s.settled, s.drawn INTO settled, drawn FROM settled_position() s;
    SELECT coalesce(max(position), 0) INTO last FROM event WHERE position <= last_settled_event.settled;
END $$;

-- Records appends, each all or nothing: the first seven arrays have an element for each append, the last four one for each event,
-- `numbers` naming its append (from 1). No two appends may be for the same command. Of several for the same stream each follows
-- the one before it, was decided on it, and is recorded only if that one is; one of `orphans` was decided on something that is not
-- recorded. A row comes back for each append, in order: where its last event is, or where the stream or the command is.
--
-- Someone else may record in the same stream meanwhile: then the unique index fails the whole call, and it is to be repeated.
-- `is_repeated` says that an earlier call may have been recorded although nobody was told.
CREATE FUNCTION append(
    categories text[], keys text[], expected_versions bigint[], orphans boolean[], append_ids uuid[], commands uuid[],
    metadatas text[], numbers integer[], event_types text[], event_versions text[], payloads text[], is_repeated boolean
) RETURNS TABLE (outcome text, last_position bigint, last_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    outcomes text[];
    positions bigint[];
    versions bigint[];
    events bigint;
    drawn record;
BEGIN
    SELECT array_agg(CASE
            WHEN a.command IS NOT NULL AND a.done_by = a.append_id THEN 'recorded'
            WHEN a.done_by IS NOT NULL THEN 'already done'
            WHEN a.follows_what_fits AND NOT a.follows_what_was_done THEN 'new'
            WHEN a.own_position IS NOT NULL THEN 'recorded'
            ELSE 'conflict' END ORDER BY a.number),
        array_agg(coalesce(a.done_at, a.own_position, 0) ORDER BY a.number),
        array_agg(coalesce(a.done_version, a.own_version, a.version) ORDER BY a.number)
    INTO outcomes, positions, versions
    FROM (
        SELECT g.*, s.version, own.position AS own_position, own.version AS own_version,
            c.append_id AS done_by, c.position AS done_at, c.version AS done_version,
            first_value(s.version = g.expected AND NOT g.is_orphan) OVER stream AS follows_what_fits,
            bool_or(c.append_id <> g.append_id) OVER stream IS TRUE AS follows_what_was_done
        FROM unnest(categories, keys, expected_versions, orphans, append_ids, commands)
            WITH ORDINALITY AS g (category, key, expected, is_orphan, append_id, command, number)
        LEFT JOIN command c ON c.id = g.command
        CROSS JOIN LATERAL (
            SELECT coalesce(max(e.version), 0) AS version FROM event e WHERE e.category = g.category AND e.key = g.key
        ) s
        LEFT JOIN LATERAL (
            SELECT e.position, e.version FROM event e
            WHERE is_repeated AND e.category = g.category AND e.key = g.key AND e.version > g.expected
                AND e.append_id = g.append_id
            ORDER BY e.version DESC LIMIT 1
        ) own ON true
        WINDOW stream AS (PARTITION BY g.category, g.key ORDER BY g.number)
    ) a;

    SELECT count(*) INTO events FROM unnest(numbers) n WHERE outcomes[n] = 'new';
    IF events > 0 THEN
        SELECT * INTO drawn FROM draw_positions(events);
        INSERT INTO event
            (position, category, key, version, recorded_at, append_id, event_type, event_version, metadata, payload)
        SELECT drawn.first - 1 + row_number() OVER (ORDER BY e.ordinal), categories[e.number], keys[e.number],
            expected_versions[e.number] + row_number() OVER (PARTITION BY e.number ORDER BY e.ordinal),
            drawn.recorded_at, append_ids[e.number], e.event_type, e.event_version, metadatas[e.number], e.payload
        FROM unnest(numbers, event_types, event_versions, payloads)
            WITH ORDINALITY AS e (number, event_type, event_version, payload, ordinal)
        WHERE outcomes[e.number] = 'new'
        ORDER BY e.ordinal;

        SELECT array_agg(coalesce(l.position, positions[i]) ORDER BY i), array_agg(coalesce(l.version, versions[i]) ORDER BY i)
        INTO positions, versions
        FROM generate_subscripts(outcomes, 1) i
        LEFT JOIN (
            SELECT p.number, max(p.position) AS position, expected_versions[p.number] + count(*) AS version
            FROM (
                SELECT n.number, drawn.first - 1 + row_number() OVER (ORDER BY n.ordinal) AS position
                FROM unnest(numbers) WITH ORDINALITY AS n (number, ordinal) WHERE outcomes[n.number] = 'new'
            ) p GROUP BY p.number
        ) l ON l.number = i;

        INSERT INTO command (id, append_id, position, version)
        SELECT commands[i], append_ids[i], positions[i], versions[i] FROM generate_subscripts(outcomes, 1) i
        WHERE outcomes[i] = 'new' AND commands[i] IS NOT NULL
        ORDER BY commands[i];
    END IF;
    RETURN QUERY SELECT * FROM unnest(outcomes, positions, versions);
END $$;

-- The last event, among those up to `head`, that was recorded at `moment` or before. Times never go down along the log, so that
-- some twenty look-ups by position find it, and no index is needed.
CREATE FUNCTION position_at(moment bigint, head bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    at_or_before bigint := 0;
    after bigint := head + 1;
    middle bigint;
    found record;
BEGIN
    WHILE at_or_before + 1 < after LOOP
        middle := at_or_before + (after - at_or_before) / 2;
        SELECT e.position, e.recorded_at INTO found FROM event e WHERE e.position <= middle ORDER BY e.position DESC LIMIT 1;
        IF found.recorded_at > moment THEN
            after := found.position;
        ELSE
            at_or_before := middle;
        END IF;
    END LOOP;
    -- Positions may have holes: the event is the last one there or before.
    RETURN coalesce((SELECT max(position) FROM event WHERE position <= at_or_before), 0);
END $$;

-- An event as `postgres-es` reads it. Payload and metadata are JSON texts in JSON strings, so that they come out as they went in.
CREATE VIEW event_envelope AS
SELECT category AS aggregate_type, key AS aggregate_id, version AS sequence, event_type, event_version,
    to_json(payload) AS payload,
    json_build_object('position', position, 'recorded_at', recorded_at, 'metadata', metadata) AS metadata
FROM event;
