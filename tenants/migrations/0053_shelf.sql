-- no-transaction
-- The shelf is a third door of sales: goods without a rush, which orders with a cart alone buy of (docs/decisions/0040). A SKU has one
-- such sale that is not over, so that a line of a cart, which names a SKU, finds it.
ALTER TABLE sale DROP CONSTRAINT IF EXISTS sale_door_check;
ALTER TABLE sale ADD CONSTRAINT sale_door_check CHECK (door IN ('direct', 'gate', 'shelf'));
-- Stock that is made or loaded goes to the sale in the same transaction.
ALTER TABLE sale ADD COLUMN IF NOT EXISTS takes_new_stock boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS sale_one_shelf ON sale (sku_id, tenant_id) WHERE door = 'shelf' AND state <> 'ended';
-- The next units of a pick that a sale has. Units that nobody chooses by are in none of this.
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_pick_in_line ON unit (sale_id, pick, rank, tenant_id)
    WHERE state = 'available' AND pick IS NOT NULL;
