"""Payments: what is asked of a provider is committed first; what a provider says is remembered first; then one function confirms."""
