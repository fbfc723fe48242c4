"""Prices: lists for some buyers, channels and times, and what a shopper pays for so many of a SKU."""

from tenants.prices.asked import Ask, Price, Step, any_for_groups, of, steps

__all__ = ["Ask", "Price", "Step", "any_for_groups", "of", "steps"]
