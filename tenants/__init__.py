"""The merchants' business: rules and Postgres, one noun a module; one transaction belongs to one tenant."""
