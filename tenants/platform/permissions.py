"""What platform staff may do, by role. `<noun>:read` sees; every other word is an act."""

ROLES: dict[str, frozenset[str]] = {
    "admin": frozenset(
        {
            "merchants:read", "merchants:suspend", "qualifications:read", "qualifications:review",
            "products:read", "products:review", "slugs:read", "slugs:write", "staff:read", "staff:write", "record:read",
        }
    ),
    "reviewer": frozenset(
        {"merchants:read", "qualifications:read", "qualifications:review", "products:read", "products:review", "slugs:read"}
    ),
    "support": frozenset({"merchants:read", "qualifications:read", "products:read", "slugs:read", "record:read"}),
}  # fmt: skip
