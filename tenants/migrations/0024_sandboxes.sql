-- A sandbox is a tenant of its own beside the store it belongs to: nothing that happens in it can touch what is sold for money.
ALTER TABLE tenant ADD COLUMN sandbox_of uuid UNIQUE REFERENCES tenant (id);
ALTER TABLE store ADD COLUMN mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test'));
