"""What was seen lately: kept for a while, bounded, and never dearer for what was forgotten."""

from api.memory import Recent


class TestRecent:
    def test_what_is_kept_is_found(self) -> None:
        recent: Recent[str, int] = Recent(2)
        assert recent.get("a") is None
        recent.keep("a", 1)
        assert recent.get("a") == 1

    def test_the_last_ones_are_there_and_old_ones_go(self) -> None:
        recent: Recent[int, int] = Recent(100)
        for n in range(1_000):
            recent.keep(n, n)
            assert all(recent.get(last) == last for last in range(max(0, n - 3), n + 1))
        assert recent.get(500) is None
        assert sum(recent.get(n) is not None for n in range(1_000)) <= 200

    def test_what_is_asked_for_stays(self) -> None:
        recent: Recent[str, int] = Recent(10)
        recent.keep("often", 1)
        for n in range(100):
            recent.keep(str(n), n)
            assert recent.get("often") == 1

    def test_cleared(self) -> None:
        recent: Recent[str, int] = Recent(2)
        recent.keep("a", 1)
        recent.clear()
        assert recent.get("a") is None
