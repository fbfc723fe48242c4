"""Payments: attempts at a provider, what it tells us, and what we make of it."""
