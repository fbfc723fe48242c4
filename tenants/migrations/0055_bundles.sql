-- A SKU may have no units at all: an order of a bundle is an order of its parts (docs/decisions/0041-bundles.md).
-- contract: the new rule allows all that the old one does.
ALTER TABLE sku DROP CONSTRAINT sku_stock_check;
ALTER TABLE sku ADD CONSTRAINT sku_stock_check CHECK (stock IN ('imported', 'made', 'parts'));
-- Of how many bundles the line is a part. What a bundle is made of may change; an order's does not.
ALTER TABLE order_line ADD COLUMN bundle_quantity integer CHECK (bundle_quantity > 0);
