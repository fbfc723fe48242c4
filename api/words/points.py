"""Points and levels."""

from typing import Any, Final

from api.words.made import DAY, DIGITS

_PROGRAMS: Final = ("PointsProgram", "NewPointsProgram")
_LEVELS: Final = ("PointsLevel", "NewLevel")
_GOLD: Final = {"id": f"lvl_{DIGITS}", "name": "Gold", "growth": 5_000, "earn_percent": 150, "group_id": None}
_STANDING: Final = {
    "level": _GOLD, "growth": 6_200, "since": f"{DAY}10:00:00Z", "until": None, "in_grace": False, "next": None, "missing": 0,
}  # fmt: skip
_ACCOUNT: Final = {
    "balance": 1_250, "available": 1_000, "held": 250, "owed": 0, "expiring": 300, "expires_at": f"{DAY}16:00:00Z",
    "standing": _STANDING, "signed_in_today": False, "sign_in_points": 5,
}  # fmt: skip

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
    "PointsEntry.balance": 1_250,
    **{f"PointsStanding.{name}": word for name, word in _STANDING.items()},
    **{f"PointsAccount.{name}": word for name, word in _ACCOUNT.items()},
    **{f"{name}.account": _ACCOUNT for name in ("PointsAccountWithLevels", "SignedIn")},
    "LevelChange.name": "Gold",
    "PointsEntry.number": 12,
    "PointsEntry.amount": 250,
    "PointsEntry.kind": "order",
    "PointsEntry.reason": None,
    "Adjustment.amount": 100,
    "Adjustment.reason": "For your patience",
    "SignedIn.points": 5,
}
