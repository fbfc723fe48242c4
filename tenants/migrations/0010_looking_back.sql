-- When an order of a sale was made: what an API process reads while a sale is sold out are those since it last looked.
ALTER TABLE order_line ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
-- The epoch a flash sale's gate stamped on the wish; NULL for orders through the direct door, and from before this column.
ALTER TABLE orders ADD COLUMN epoch bigint;
