-- no-transaction
-- How many of a pick are free is counted up to a bound, in one sale or in all; units that nobody chooses by are in none of this.
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_picked ON unit (sku_id, pick, state, sale_id, tenant_id) WHERE pick IS NOT NULL;
