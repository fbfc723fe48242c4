"""Prices: lists for some buyers, channels and times, and what a shopper pays for so many of a SKU."""

from tenants.prices.asked import Ask, Price, of

__all__ = ["Ask", "Price", "of"]
