"""HTTP: one controller a noun, each handler a signature and one call into `tenants`."""
