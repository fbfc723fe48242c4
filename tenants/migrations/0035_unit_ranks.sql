-- no-transaction
-- A unit's place in the queue of its sale is its rank, no longer its id: codes that expire first, or of the batch that is to go first, can be
-- sold first (docs/vault.md). In the order in which they were loaded the rank is the id. `sale.last_unit` is a rank from now on, which
-- for all that was sold so far it was already.
-- contract: the two indexes of units by id go with this file; the code of yesterday sorts the units of a sale for some minutes, as it did
-- before 0005.

ALTER TABLE unit ADD COLUMN IF NOT EXISTS rank bigint;
-- Who names no rank stands at the end: no unit has a number that the sequence has yet to give.
ALTER TABLE unit ALTER COLUMN rank SET DEFAULT nextval('unit_id_seq');
UPDATE unit SET rank = id WHERE rank IS NULL;
ALTER TABLE unit ALTER COLUMN rank SET NOT NULL;
-- The next units of a sale.
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_in_line ON unit (sale_id, rank) WHERE state = 'available' AND sale_id IS NOT NULL;
-- Stock that no sale has yet, batch by batch.
CREATE INDEX CONCURRENTLY IF NOT EXISTS unit_loose ON unit (sku_id, batch_id, id) WHERE state = 'available' AND sale_id IS NULL;
DROP INDEX IF EXISTS unit_next;
DROP INDEX IF EXISTS unit_unallotted;
CREATE INDEX CONCURRENTLY IF NOT EXISTS vault_batch_by_sku ON vault_batch (sku_id, id);
