"""The addresses of a product's smaller pictures, which lists and telephones load."""


def small(path: str) -> str:
    """The address of a product's picture within 320 pixels."""
    return _sized(path, "s")


def medium(path: str) -> str:
    """The address of a product's picture within 720 pixels."""
    return _sized(path, "m")


def _sized(path: str, size: str) -> str:
    named, dot, suffix = path.rpartition(".")
    return f"{named}-{size}{dot}{suffix}"
