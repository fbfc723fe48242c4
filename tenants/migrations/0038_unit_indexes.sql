-- no-transaction
-- Units that are aside, by state; those that will expire, by when. None of these has a row of a unit that is held or sold, or that has no date:
-- a sale pays for none of them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_aside ON unit (sku_id, state, batch_id, id)
    WHERE state IN ('locked', 'void', 'expired', 'quarantined');
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_ending ON unit (batch_id, valid_until) WHERE state = 'available' AND valid_until IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_loose_ending ON unit (sku_id, valid_until, id)
    WHERE state = 'available' AND sale_id IS NULL AND valid_until IS NOT NULL;
