"""Points and levels."""

from typing import Any, Final

from api.words.made import DAY, DIGITS

_PROGRAMS: Final = ("PointsProgram", "NewPointsProgram")
_LEVELS: Final = ("PointsLevel", "NewLevel")

WORDS: Final[dict[str, Any]] = {
    **{f"{name}.enabled": True for name in _PROGRAMS},
    "earn_points": 1,
    "earn_minor": 100,
    "hold_days": 7,
    "expiry": "month_end",
    "expiry_count": 12,
    "sign_in_points": 5,
    "growth_points": 1,
    "growth_minor": 100,
    "period_days": 365,
    "grace_days": 30,
    **{f"{name}.id": f"lvl_{DIGITS}" for name in _LEVELS},
    **{f"{name}.name": "Gold" for name in _LEVELS},
    **{f"{name}.group_id": None for name in _LEVELS},
    "growth": 5_000,
    "earn_percent": 150,
    "balance": 1_250,
    "PointsAccount.available": 1_000,
    "held": 250,
    "owed": 0,
    "expiring": 300,
    "PointsAccount.expires_at": f"{DAY}16:00:00Z",
    "PointsStanding.since": f"{DAY}10:00:00Z",
    "PointsStanding.until": f"{DAY}10:00:00Z",
    "PointsStanding.next": None,
    "PointsStanding.growth": 6_200,
    "in_grace": False,
    "missing": 0,
    "signed_in_today": False,
    "LevelChange.name": "Gold",
    "PointsEntry.number": 12,
    "PointsEntry.amount": 250,
    "PointsEntry.kind": "order",
    "PointsEntry.reason": None,
    "Adjustment.amount": 100,
    "Adjustment.reason": "For your patience",
    "SignedIn.points": 5,
}
