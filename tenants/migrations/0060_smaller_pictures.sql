-- Lists and telephones need smaller pictures than a product's page on a wide screen (docs/catalog.md). NULL: the picture itself is no larger,
-- or older than this; then it is shown itself.
ALTER TABLE product_image ADD COLUMN small bytea;
ALTER TABLE product_image ADD COLUMN medium bytea;
ALTER TABLE product_image ALTER COLUMN small SET STORAGE EXTERNAL;
ALTER TABLE product_image ALTER COLUMN medium SET STORAGE EXTERNAL;
