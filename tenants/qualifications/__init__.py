"""Merchant qualification: who a merchant is and what he is licensed to sell, shown by documents and decided by the platform's reviewers.

The merchant drafts, adds documents and submits; a reviewer takes it and decides; what was approved expires. What each state allows is in
`tenants.capabilities`.
"""

from tenants.qualifications.drafts import Particulars, Qualification, correct, create, get, latest, submit, withdraw
from tenants.qualifications.steps import expire

__all__ = ["Particulars", "Qualification", "correct", "create", "expire", "get", "latest", "submit", "withdraw"]
