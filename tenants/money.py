"""Money as people write it: how many decimals a currency has, and an amount's minor units."""

# ISO 4217 minor units; two for all others.
_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def digits(code: str) -> int:
    """The decimals of a currency, by its ISO 4217 code."""
    return _DIGITS.get(code, 2)


def minor_units(text: str, code: str) -> int:
    """What a person typed, in minor units: `"12.5"` is 1250 fen. Raises `ValueError` for anything but digits and one point."""
    whole, point, rest = text.strip().replace(",", "").lstrip("¥$€£").partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 12:
        raise ValueError(f"{text!r} is not an amount")
    if point and not (rest.isascii() and rest.isdigit() and len(rest) <= digits(code)):
        raise ValueError(f"{text!r} has more decimals than {code}")
    return int(whole + rest.ljust(digits(code), "0"))
