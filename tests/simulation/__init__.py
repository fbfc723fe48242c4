"""The checkout protocol on one loop with virtual time: the product's own code, doubles of Redis and Postgres, chance from a seed."""
