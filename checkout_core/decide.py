"""Who of a batch gets units: the shopper's limit first, then what is left. Pure arithmetic, compiled by Cython from this same file."""

RESERVED = 0
LIMIT = 1
SOLD_OUT = 2


def decide(wishes: list, taken: dict, limit: int, free: int) -> list:  # type: ignore[type-arg]
    """Decide `wishes` in order.

    wishes  [(shopper, quantity), …]
    taken   shopper → bit mask of the slots he holds in this sale (bit 0 is slot 1); updated as wishes are granted
    limit   slots a shopper may hold, 0 for no limit
    free    units left

    Returns [(outcome, slots), …]: the outcome and, when reserved, the slot numbers taken, lowest free ones first (none without a limit).
    A wish that does not fit leaves everything to those behind it: a large order refused does not block a small one.
    """
    out: list[tuple[int, tuple[int, ...]]] = []
    for shopper, quantity in wishes:
        slots: list[int] = []
        mask = 0
        if limit:
            mask = taken.get(shopper, 0)
            while len(slots) < quantity:
                bit = ~mask & (mask + 1)  # the lowest slot that is free
                slot = bit.bit_length()
                if slot > limit:
                    break
                mask |= bit
                slots.append(slot)
            if len(slots) < quantity:
                out.append((LIMIT, ()))
                continue
        if quantity > free:
            out.append((SOLD_OUT, ()))
            continue
        free -= quantity
        if limit:
            taken[shopper] = mask
        out.append((RESERVED, tuple(slots)))
    return out
