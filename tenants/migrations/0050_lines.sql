-- What a line of several units costs when they do not all cost the same: nights with a surcharge, shares of a bundle. Both are NULL for
-- what is bought by itself, and then a line is its quantity times its unit price; a flash sale writes neither.
ALTER TABLE order_line ADD COLUMN amount_minor bigint CHECK (amount_minor > 0);
-- What this unit's order pays for it. It goes when the order lets the unit go.
ALTER TABLE unit ADD COLUMN paid_minor bigint CHECK (paid_minor > 0);
-- The bundle, a SKU, that the line was bought as a part of; and the version of a price that it was priced by.
ALTER TABLE order_line ADD COLUMN bundle_id uuid;
ALTER TABLE order_line ADD COLUMN price_id uuid;
