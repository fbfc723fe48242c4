"""What was seen lately: kept for a while, bounded, and never dearer for what was forgotten."""

from api.recent import Recent


def name(n: int) -> bytes:
    return b"%d" % n


class TestRecent:
    def test_what_is_kept_is_found(self) -> None:
        recent = Recent(2)
        assert recent.get(b"a") is None
        recent.keep(b"a", 1)
        assert recent.get(b"a") == 1

    def test_the_last_ones_are_there_and_old_ones_go(self) -> None:
        recent = Recent(100)
        for n in range(1_000):
            recent.keep(name(n), n)
            assert all(recent.get(name(last)) == last for last in range(max(0, n - 3), n + 1))
        assert recent.get(name(500)) is None
        assert sum(recent.get(name(n)) is not None for n in range(1_000)) <= 200

    def test_what_is_asked_for_stays(self) -> None:
        recent = Recent(10)
        recent.keep(b"often", 1)
        for n in range(100):
            recent.keep(name(n), n)
            assert recent.get(b"often") == 1

    def test_cleared(self) -> None:
        recent = Recent(2)
        recent.keep(b"a", 1)
        recent.clear()
        assert recent.get(b"a") is None
