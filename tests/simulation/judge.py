"""What must hold: after every script, and when everything has come to rest. Each finding begins with the promise it breaks."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from checkout_core import journal, keys, safeties
from checkout_core.intents import SaleKey
from tests.simulation.crowd import Told
from tests.simulation.postgres import Row
from tests.simulation.redis import Server
from tests.simulation.stock import PRICE_MINOR, TENANT
from tests.simulation.world import World, order_id_of, short

LIVE: Final = ("awaiting", "closing", "delivered")
HOLDING: Final = {"awaiting": "held", "closing": "held", "delivered": "sold"}
MEMORY_S: Final = 2.5  # how long a process may say from memory what is not so any more
LAG_S: Final = 4.0  # until units that came back are sold again, when nothing breaks
REFUSALS: Final = ("sold_out", "limit", "paused", "ended", "not_started", "unpaid_cap", "cool_down")


def sale_row(world: World, sale: SaleKey) -> Row:
    return world.db.tables["sale"][tuple(sale)]


def gate_of(server: Server, sale: SaleKey) -> dict[bytes, bytes]:
    return server.data.get(keys.of(sale).sale, {})


def is_ours(gate: dict[bytes, bytes], server: Server) -> bool:
    return gate.get(b"ident") == (server.ident if safeties.on("ident") else "whoever answers").encode()


def entries(server: Server, sale: SaleKey) -> list[journal.Entry]:
    return [journal.unpack(field, value) for field, value in server.data.get(keys.of(sale).journal, {}).items()]


def is_over(world: World, key: SaleKey) -> bool:
    """By Postgres' clock."""
    sale = sale_row(world, key)
    return sale["state"] == "ended" or (sale["ends_at"] is not None and world.db.now() >= sale["ends_at"])


def is_sold(world: World, key: SaleKey) -> bool:
    """Whether who asks now may get something: the gate has a clock of its own."""
    sale = sale_row(world, key)
    at_gate = world.redis_clock() if sale["door"] == "gate" else world.db.now().timestamp()
    in_time = sale["starts_at"].timestamp() <= at_gate and (sale["ends_at"] is None or at_gate < sale["ends_at"].timestamp())
    return sale["state"] == "open" and in_time and not is_over(world, key)


def after_a_script(world: World) -> Iterator[str]:
    for key in world.sales:
        yield from _counts(world, key)


def _counts(world: World, key: SaleKey) -> Iterator[str]:
    """I6: within an epoch, an open gate counts exactly what is left, is being decided, and is on its way back."""
    server, sale = world.net.server, sale_row(world, key)
    gate = gate_of(server, key)
    if sale["door"] != "gate" or not is_ours(gate, server) or int(gate[b"epoch"]) != sale["epoch"]:
        return
    avail, given = int(gate[b"avail"]), int(gate[b"given"])
    orders, returns = world.db.tables["orders"], world.db.tables["give_back"]
    undecided = 0
    for entry in entries(server, key):
        order = orders.get((TENANT, entry.order_id))
        decided = (order and order["intent_id"] == entry.intent_id) or (*key, f"intent:{entry.intent_id.hex}") in returns
        if entry.epoch == sale["epoch"] and entry.intent is not None and not decided:
            undecided += entry.intent.quantity
    coming = sum(g["units"] for g in returns.values() if g["sale_id"] == key.sale_id and g["epoch"] == sale["epoch"] and g["seq"] > given)
    left = sale["allotted"] - sale["committed"]
    if avail + undecided + coming != left:
        more = "more" if avail + undecided + coming > left else "less"
        yield (
            f"I6: in epoch {sale['epoch']} the gate counts {more} than there is: {avail} + {undecided} undecided + {coming} coming back, "
            f"Postgres has {left}"
        )


def is_at_rest(world: World) -> bool:
    """Nothing is left to do."""
    return all(_rests(world, key) for key in world.sales)


def _rests(world: World, key: SaleKey) -> bool:
    sale, server = sale_row(world, key), world.net.server
    if any(order["state"] in ("awaiting", "closing") for order in world.db.all("orders")):
        return False
    if sale["door"] != "gate":
        return True
    gate = gate_of(server, key)
    if is_over(world, key):
        return sale["next_try_at"] is None and not gate and not entries(server, key)
    loaded = is_ours(gate, server) and int(gate.get(b"epoch", b"0")) == sale["epoch"]
    return loaded and not entries(server, key) and int(gate[b"given"]) == sale["give_seq"]


def at_rest(world: World) -> Iterator[str]:
    for key in world.sales:
        if not _rests(world, key):
            yield f"I16/I17: no rest: {_unrest(world, key)}"
        yield from _equal(world, key)
    yield from stock(world)


def _unrest(world: World, key: SaleKey) -> str:
    server, sale = world.net.server, sale_row(world, key)
    waiting = [f"{short(o['id'])} {o['state']}" for o in world.db.all("orders") if o["state"] in ("awaiting", "closing")]
    gate = {name.decode(): value.decode() for name, value in gate_of(server, key).items()}
    return f"orders {waiting}, journal {len(entries(server, key))}, gate {gate}, epoch {sale['epoch']}, next {sale['next_try_at']}"


def stock(world: World) -> Iterator[str]:
    """I1, I2, I8, I9 on the rows."""
    units, orders = world.db.all("unit"), world.db.tables["orders"]
    taken = [u for u in units if u["state"] in ("held", "sold")]
    if len(units) != sum(offer.units + offer.loose for offer in world.plan.offers):
        yield "I1: units are lost"
    for key in world.sales:
        yield from _stock(world, key, [u for u in units if u["sale_id"] == key.sale_id])
    held = Counter(u["order_id"] for u in taken)
    quantities = {line["order_id"]: line["quantity"] for line in world.db.all("order_line")}
    for (_, order_id), order in orders.items():
        wanted = quantities.get(order_id, 0) if order["state"] in HOLDING else 0
        if held.pop(order_id, 0) != wanted:
            yield f"I2: order {short(order_id)} is {order['state']} for {wanted} units and has others"
        wrong = [u["id"] for u in taken if u["order_id"] == order_id and u["state"] != HOLDING.get(order["state"])]
        if wrong:
            yield f"I2: units {wrong} are not as their order {short(order_id)}, which is {order['state']}"
    if held:
        yield "I2: units belong to no order"


def _stock(world: World, key: SaleKey, own: list[Row]) -> Iterator[str]:
    sale = sale_row(world, key)
    taken = [u for u in own if u["state"] in ("held", "sold")]
    if len(own) != sale["allotted"] or len(taken) != sale["committed"]:
        yield f"I1: {len(taken)} of {len(own)} units are taken, the sale says {sale['committed']} of {sale['allotted']}"
    limits = world.limits[key.sale_id]
    most = 0 if 0 in limits else max(limits)
    for shopper, count in Counter(u["shopper_id"] for u in taken).items():
        if most and count > most:
            yield f"I8: a shopper ({shopper.int & 0xFFFF}) holds {count} units, the limit is {most}"
    for u in own:
        if u["state"] == "available" and u["rank"] <= sale["last_unit"]:
            yield f"I9: unit {u['id']} lies below the low-water mark {sale['last_unit']}"


def _equal(world: World, key: SaleKey) -> Iterator[str]:
    """I6 at rest: equal."""
    sale, server = sale_row(world, key), world.net.server
    if sale["door"] != "gate" or is_over(world, key):
        return
    gate = gate_of(server, key)
    if not gate:
        return
    left = sale["allotted"] - sale["committed"]
    if int(gate[b"avail"]) != left:
        yield f"I6: at rest the gate counts {int(gate[b'avail'])}, Postgres has {left}"
    holders = Counter(u["shopper_id"] for u in world.db.all("unit") if u["sale_id"] == key.sale_id and u["shopper_id"] is not None)
    counted = {who: int(units) for who, units in server.data.get(keys.of(key).by, {}).items()}
    if counted != {who.bytes: count for who, count in holders.items()}:
        units = f"{sum(counted.values())} units of {len(counted)} shoppers"
        yield f"I6: at rest the gate counts {units}, {sum(holders.values())} of {len(holders)} are held"


def told(world: World, notes: list[Told]) -> Iterator[str]:
    """I7, I9, I18: what shoppers were told is so."""
    orders = world.db.tables["orders"]
    reserved: dict[tuple[int, str], set[Any]] = {}
    for note in notes:
        name = f"shopper{note.shopper} {note.key} ({short(note.order_id)}) at {note.at:.3f} s"
        order_id = note.decision.order_id if note.decision else note.order_id
        row = orders.get((TENANT, order_id))
        if note.decision is not None:
            reserved.setdefault((note.shopper, note.key), set()).add((order_id, note.decision.created_at))
            if row is None or row["refusal"] is not None:
                yield f"I7: {name} was told “reserved”, the order is {row and row['state']}"
            elif note.decision.amount_minor != note.quantity * PRICE_MINOR:
                yield f"I18: {name} was told “reserved” for {note.quantity}, the order is another"
            elif not any(at <= note.at for at, _ in world.states[order_id]):
                yield f"I7: {name} was told “reserved” before it was committed"
        elif note.answer in REFUSALS:
            yield from _refused(world, note, name)
    for (shopper, key), answers in reserved.items():
        if len(answers) > 1:
            yield f"I18: shopper{shopper} {key} was told of {len(answers)} orders"
    yield from _one_per_key(world)


def _refused(world: World, note: Told, name: str) -> Iterator[str]:
    grace = 0.0 if note.marked else MEMORY_S
    states = world.states.get(note.order_id, [])
    sale = world.sales[note.sale]
    if (TENANT, note.order_id, sale.sale_id) not in world.db.tables["order_line"]:
        states = []  # refused, or the same key was used in another sale
    elif not note.marked and not _gate_knows(world, note, sale):
        states = []  # he reserved past the gate, which has not been loaded since: only who marks his retry is sure to be looked up
    before = [state for at, state in states if at < note.began - grace]
    after = [state for at, state in states if at >= note.began - grace and at <= note.at]
    if before and before[-1] in LIVE and all(state in LIVE for state in after):
        yield f"I18: {name} was told “{note.answer}”, his order is {before[-1]}"
    if note.answer == "sold_out" and world.plan.calm:
        lefts = [left for at, left in world.lefts[sale.sale_id] if at <= note.at]
        recent = [left for at, left in world.lefts[sale.sale_id] if note.began - LAG_S <= at <= note.at]
        earlier = [left for at, left in world.lefts[sale.sale_id] if at < note.began - LAG_S]
        always = [*(earlier[-1:] or ([world.plan.offers[note.sale].units] if note.began > LAG_S else [])), *recent]
        # A winner who asks again is admitted again, and his units are off the gate until the next give-back.
        coming = sum(units for at, sale_id, units in world.returns if sale_id == sale.sale_id and note.began - LAG_S <= at <= note.at)
        if lefts and len(always) > len(recent) and min(always) - coming >= note.quantity:
            yield f"I9: {name} was told “sold_out” for {note.quantity}; there were {min(always)} all the time"


def _gate_knows(world: World, note: Told, sale: SaleKey) -> bool:
    """Whether the gate was loaded under the order's epoch or a later one, in time."""
    epoch = world.db.tables["orders"][TENANT, note.order_id]["epoch"]
    loads = (at for at, sale_id, loaded in world.loads if sale_id == sale.sale_id and loaded >= (epoch or 0))
    return epoch is None or any(at < note.began - MEMORY_S for at in loads)


def _one_per_key(world: World) -> Iterator[str]:
    """One order per key: all others would be somebody's who never asked for them."""
    keys_asked = {order_id_of(wish.shopper, wish.key) for wish in world.plan.wishes} | world.probes
    for (_, order_id), order in world.db.tables["orders"].items():
        if order_id not in keys_asked:
            yield f"I18: order {short(order_id)} ({order['state']}) is of no key that anybody used"
