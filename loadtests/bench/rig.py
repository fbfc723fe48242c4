"""The place where the race is held: one Postgres, one Valkey, one worker, and every racer as processes beside them.

All racers are up all the time, and only one is pressed on at once: an idle one costs next to nothing. Peers keep their sales in a Valkey
database of their own, so that our worker does not take them for ours.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, Self

from redis import Redis

from api.process import Keys
from checkout_core import keys, tokens
from checkout_core.admission import Count, Gatekeeper
from checkout_core.config import Settings
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import SaleKey
from checkout_core.partitions import Partitions
from loadtests.bench.racers import Kind, Racer
from loadtests.client import Client
from loadtests.client.operations import catalogue, sales, vault
from loadtests.client.operations.catalogue import NewProduct, NewSku
from loadtests.client.operations.sales import NewSale
from loadtests.peers import go_redigo, stock
from tessera.letterbox import sign_up
from tessera.processes import Process, free_port
from tessera.shop import Shop

SLUG: Final = "race"
PEERS_DATABASE: Final = 5
LIMIT: Final = 1
IMPORT_MAX: Final = 200_000  # lines of a file
IMPORT_WITHIN_S: Final = 120.0
HOLD_S: Final = 86_400  # nobody pays here, and no hold may end while others race
OPENS_IN_S: Final = 20.0  # the worker loads a new sale's gate within a second or two


class Rig:
    """`racers` are started with it; those that cannot be built here are left out, as the `spared` are, and `missing` says why."""

    def __init__(self, folder: Path, racers: Iterable[Racer], build: Path, spared: Iterable[Racer] = ()) -> None:
        # Whoever signs up or asks for a page here is always the same address.
        self.shop = Shop(folder, apis=1, environ={"TESSERA_IP_LIMIT_FACTOR": "100000", "TESSERA_ENV": "demo"})
        self.racers = list(racers)
        self.missing = {racer.name: "spared in a short run" for racer in spared}
        self._folder = folder
        self._build = build
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.shop.__enter__()
        try:
            self.settings = Settings.from_env(self.shop.environ)
            self.peers_url = self.shop.servers.redis_url.replace("db=0", f"db={PEERS_DATABASE}")
            self.redis = Redis.from_url(self.shop.servers.redis_url)
            self.peers = Redis.from_url(self.peers_url)
            self._sign_up()
            for racer in self.racers:
                if racer.name not in self.missing:
                    self._start(racer)
            self.racers = [racer for racer in self.racers if racer.name not in self.missing]
            self.shop.processes.wait_ready()
        except BaseException:
            self.shop.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.redis.close()
        self.peers.close()
        self.client.__exit__()
        self.shop.__exit__(None, None, None)

    # Racers

    def port(self, racer: Racer) -> int:
        return self._ports[racer.name]

    def pids(self, racer: Racer) -> Mapping[str, list[int]]:
        """Whose CPU time to report: the racer's processes as `api`, and the servers."""
        processes, servers = self.shop.processes.pids, self.shop.servers.pids
        own = [pid for name, pid in processes.items() if pid and self._is_of(name, racer)]
        others = {"redis": servers["valkey"], "postgres": servers["postgres"], "worker": processes["worker"]}
        return {"api": own, **{name: [pid] for name, pid in others.items() if pid}}

    @staticmethod
    def _is_of(process: str, racer: Racer) -> bool:
        return process == "api-1" if racer.is_the_shop else process.partition("#")[0] == racer.name

    def _start(self, racer: Racer) -> None:
        if racer.is_the_shop:
            self._ports[racer.name] = self.shop.port
            return
        port = self._ports[racer.name] = free_port()
        run = self.shop.processes.run
        for number in range(racer.processes):
            name = f"{racer.name}#{number + 1}"
            if racer.kind is Kind.GO:
                try:
                    program = go_redigo.build(self._build)
                except go_redigo.NoGo as error:
                    self.missing[racer.name] = str(error)
                    return
                command = go_redigo.command(program, port, constant="-constant" in racer.arguments)
                environ = {**self.shop.environ, **go_redigo.environ_of(self.settings.secret, self.peers_url, cores=racer.cores)}
                self.shop.processes.keep(Process(name, command, self.shop.processes.log(name), environ, port))
            else:
                own = {} if racer.in_our_redis else {"REDIS_URL": self.peers_url}
                arguments = [*racer.arguments, "--port", str(port)]
                run(name, *arguments, module=racer.module, port=port, environ=own)

    # Sales

    def _sign_up(self) -> None:
        person = {"store": "Race", "slug": SLUG, "mail": "race@example.org", "password": "a password of the race"}
        merchant = sign_up(self.shop.api_url, self.shop.mail_url, **person)
        self.client = Client(self.shop.api_url, token=merchant["api_key"], timeout_s=IMPORT_WITHIN_S)
        self.tenant_id = decode("ten", merchant["tenant_id"])

    def open_sale(self, racer: Racer, units: int, limit: int = LIMIT) -> str:
        """A new sale where the racer sells from, open; its id as shoppers know it."""
        if racer.sells_from_postgres:
            return self._open_in_postgres(units, limit, "direct" if racer.kind is Kind.POSTGRES else "gate")
        sale_id = new_id()
        if racer.kind is Kind.ACKED:
            asyncio.run(self._load(SaleKey(self.tenant_id, sale_id), units, limit))
        else:
            stock.open_sale(self.peers, sale_id, units, limit)
        return encode("sal", sale_id)

    def _open_in_postgres(self, units: int, limit: int, door: Literal["direct", "gate"]) -> str:
        product = self.client(catalogue.create_product(NewProduct(name="Pass"))).id
        day = NewSku(product_id=product, name="Day", price_minor=stock.PRICE_MINOR, currency=stock.CURRENCY)
        sku = self.client(catalogue.create_sku(day)).id
        self._stock(sku, units)
        terms = NewSale(sku_id=sku, name="Race", units=units, limit_per_shopper=limit, door=door, hold_s=HOLD_S)
        sale = self.client(sales.create_sale(terms)).id
        name = keys.of(SaleKey(self.tenant_id, decode("sal", sale))).sale
        deadline = time.monotonic() + OPENS_IN_S
        while door == "gate" and not self.redis.hexists(name.decode(), "ident"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the gate of {sale} was not loaded within {OPENS_IN_S:.0f} s")
            time.sleep(0.05)
        return sale

    def end_sale(self, sale: str) -> None:
        """The worker looks after every sale that runs; those that were raced for are ended."""
        self.client(sales.end_sale(sale))

    def _stock(self, sku: str, units: int) -> None:
        """An import, as a merchant makes it: the checker opens codes too."""
        for at in range(0, units, IMPORT_MAX):
            lines = min(IMPORT_MAX, units - at)
            codes = secrets.token_hex(8 * lines).upper()
            file = "".join(f"{codes[16 * n : 16 * n + 16]}\n" for n in range(lines)).encode()
            self.client(vault.import_codes(file, sku_id=sku, filename="race.txt"))

    async def _load(self, sale: SaleKey, units: int, limit: int) -> None:
        async with Partitions(self.peers_url) as partitions:
            await Gatekeeper(partitions).load(sale, Count(1, "open", units, limit), [])

    async def gate_of(self, sale: SaleKey) -> tuple[int, int]:
        """Units left and undecided orders of a sale that has nothing behind its gate."""
        async with Partitions(self.peers_url) as partitions:
            view = await Gatekeeper(partitions).view(sale)
        return (view.avail, view.undecided) if view else (-1, -1)

    def forget(self, sale: SaleKey) -> None:
        """Free what such a sale held."""
        self.peers.unlink(*keys.of(sale)[1:])

    # Shoppers

    def shoppers(self, count: int) -> Path:
        """New guests of the store, as the loader reads them; the file is written anew each time."""
        file = self._folder / "shoppers.jsonl"
        key = Keys.of(self.settings.secret).shoppers
        with file.open("w", encoding="utf-8") as out:
            for _ in range(count):
                token, shopper = tokens.issue(key, self.tenant_id)
                out.write(f'{{"token":"{token}","shopper_id":"{encode("shp", shopper.id)}"}}\n')
        return file

    def token(self) -> str:
        return tokens.issue(Keys.of(self.settings.secret).shoppers, self.tenant_id)[0]
