"""Prices: lists for some buyers, channels and times, and what a shopper pays for so many of a SKU."""

from tenants.prices.asked import Ask, Price, Step, of, steps

__all__ = ["Ask", "Price", "Step", "of", "steps"]
