-- `reserve` of 0032 takes the units of a sale by their rank. Nothing else of it is changed.
CREATE OR REPLACE FUNCTION reserve(
    tenant uuid, wanted uuid, fence bigint,
    -- Of each order, sorted by id. A column is empty when all orders say alike, and then that is in its twin `all_…`.
    ids uuid[], intents uuid[], shoppers uuid[], quantities integer[], hashes bytea[], contacts text[], lookups bytea[], channels text[],
    all_quantity integer, all_hash bytea, all_contact text, all_lookup bytea, all_channel text,
    -- Of each unit; the slots are empty when every order wants one.
    unit_orders uuid[], unit_shoppers uuid[], unit_slots integer[], most integer,
    unpaid_max integer, lapsed_max integer, look_back interval,
    OUT free boolean, OUT at timestamptz, OUT until timestamptz, OUT price bigint, OUT money text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    s     record;
    total bigint := cardinality(unit_orders);
    now_  timestamptz;
    -- A variable, for a plan made while there are no orders takes the wrong index when it must compute this.
    since timestamptz;
    ranks bigint[];
    made  bigint;
BEGIN
    PERFORM set_config('app.tenant_id', tenant::text, true);
    SELECT * INTO s FROM sale WHERE tenant_id = tenant AND id = wanted FOR UPDATE SKIP LOCKED;
    free := FOUND;
    IF NOT free AND total > 0 THEN RETURN; END IF;
    now_ := clock_timestamp();
    IF s.state <> 'open' THEN RETURN; END IF;
    IF (s.door = 'direct') <> (fence IS NULL) THEN RETURN; END IF;
    IF s.epoch <> fence THEN RETURN; END IF;
    IF fence IS NULL AND (now_ < s.starts_at OR now_ >= s.ends_at) THEN RETURN; END IF;
    IF s.committed + total > s.allotted THEN RETURN; END IF;
    IF s.limit_per_shopper > 0 AND most > s.limit_per_shopper THEN RETURN; END IF;
    -- From here on each statement has a snapshot of its own, younger than the lock.
    IF EXISTS (SELECT FROM orders WHERE tenant_id = tenant AND id = ANY (ids)) THEN RETURN; END IF;
    IF s.limit_per_shopper > 0 AND EXISTS (
        SELECT FROM unnest(shoppers) AS p(shopper_id) CROSS JOIN LATERAL (
            SELECT FROM unit WHERE tenant_id = tenant AND sale_id = wanted AND shopper_id = p.shopper_id AND slot IS NOT NULL OFFSET 0) u)
        THEN RETURN; END IF;
    since := now_ - greatest(look_back, s.hold_s * interval '1 second');
    IF EXISTS (
        SELECT FROM unnest(shoppers) AS p(shopper_id) CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE state IN ('awaiting', 'closing')) AS unpaid, count(*) FILTER (WHERE state = 'expired') AS lapsed
            FROM orders WHERE tenant_id = tenant AND shopper_id = p.shopper_id AND created_at > since) o
        WHERE o.unpaid >= unpaid_max OR o.lapsed >= lapsed_max)
        THEN RETURN; END IF;
    ranks := ARRAY(SELECT rank FROM unit WHERE tenant_id = tenant AND sale_id = wanted AND state = 'available' AND rank > s.last_unit
                   ORDER BY rank LIMIT total);
    IF cardinality(ranks) < total THEN RETURN; END IF;
    WITH x AS (
        SELECT x.id, x.intent_id, x.shopper_id, coalesce(x.quantity, all_quantity) AS quantity, coalesce(x.hash, all_hash) AS hash,
               coalesce(x.contact, all_contact) AS contact, coalesce(x.lookup, all_lookup) AS lookup,
               coalesce(x.channel, all_channel) AS channel
        FROM unnest(ids, intents, shoppers, quantities, hashes, contacts, lookups, channels)
             AS x(id, intent_id, shopper_id, quantity, hash, contact, lookup, channel)),
    -- Not joined with what it is given, but looked up by its place among `ranks`, which are sorted: of many tenants' units a planner
    -- expects one row here, and would compare each unit with each order.
    given AS (
        UPDATE unit SET state = 'held', order_id = unit_orders[width_bucket(rank, ranks)],
                        shopper_id = unit_shoppers[width_bucket(rank, ranks)],
                        slot = CASE WHEN s.limit_per_shopper > 0 THEN coalesce(unit_slots[width_bucket(rank, ranks)], 1) END
        WHERE tenant_id = tenant AND sale_id = wanted AND rank = ANY (ranks) AND state = 'available' RETURNING id),
    counted AS (
        UPDATE sale SET committed = committed + total, last_unit = greatest(last_unit, ranks[total])
        WHERE tenant_id = tenant AND id = wanted),
    entered AS (
        INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, contact, lookup_hash,
                            channel, created_at, hold_until, next_try_at, epoch)
        SELECT tenant, id, intent_id, shopper_id, 'awaiting', x.quantity * s.price_minor, s.currency, hash, x.contact, lookup,
               x.channel, now_, now_ + s.hold_s * interval '1 second', now_ + s.hold_s * interval '1 second', fence
        FROM x ON CONFLICT DO NOTHING RETURNING id),
    lines AS (
        INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
        SELECT tenant, id, wanted, s.sku_id, x.quantity, s.price_minor FROM x),
    noted AS (INSERT INTO order_change (tenant_id, order_ids) SELECT tenant, ids WHERE cardinality(ids) > 0)
    SELECT (SELECT count(*) FROM entered) - cardinality(ids) + (SELECT count(*) FROM given) - total INTO made;
    IF made <> 0 THEN
        RAISE unique_violation USING MESSAGE = 'an order of this batch was committed through another sale a moment ago';
    END IF;
    at := now_;
    until := now_ + s.hold_s * interval '1 second';
    price := s.price_minor;
    money := s.currency;
END $$;
