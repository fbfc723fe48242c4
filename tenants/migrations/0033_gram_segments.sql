-- The grams of contacts that are indexed together are one row each, not one for each contact: of 33 rows that an order with a contact never
-- seen before wrote to the index 26 were grams, and a rush was followed at 2,000 orders a second (docs/decisions/0029).
-- A row without `ids` is of the one text `id`, as all were; one with them is of these texts, and its `id` is their segment's.

ALTER TABLE search_gram ADD COLUMN ids uuid[];
-- Random bytes: to try to compress them is for nothing.
ALTER TABLE search_gram ALTER COLUMN ids SET STORAGE EXTERNAL;
ALTER TABLE search_gram ADD COLUMN texts integer NOT NULL DEFAULT 1; -- how many: counted without reading them
ALTER TABLE search_text ADD COLUMN segment uuid;                     -- with whom it was added, NULL for one that came alone
-- How many texts each gram has is counted in the index alone.
ALTER TABLE search_gram DROP CONSTRAINT search_gram_pkey;
ALTER TABLE search_gram ADD PRIMARY KEY (tenant_id, kind, gram, id) INCLUDE (texts);
