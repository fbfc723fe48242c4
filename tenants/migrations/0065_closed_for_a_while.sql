-- A merchant closes his store for a while, and says until when. Who finds stores by their host knows it with the store.
ALTER TABLE store ADD COLUMN closed boolean NOT NULL DEFAULT false;
ALTER TABLE store ADD COLUMN closed_notice text NOT NULL DEFAULT '' CONSTRAINT store_closed_notice_check CHECK (length(closed_notice) <= 500);
ALTER TABLE store ADD COLUMN opens_at timestamptz;
GRANT SELECT (closed, opens_at) ON store TO tessera_platform;
