"""The platform's own people and what they do: apart from merchants in their tables, their sign-ins, their sessions and their record."""
