"""Every compiled module against its readable twin."""

from api import hot, patience, plain, recent
from checkout_core import batcher, decide, ids, secrets
from loadtests.bench.compiled import MODULES, twin
from tests.fuzz import parts, presses
from tests.fuzz.target import Target

TARGETS = [
    Target("plain", presses.request, presses.read(plain), presses.read(twin(plain)), share=4),
    Target("hot", presses.visit, presses.told(hot, patience), presses.told(twin(hot), twin(patience)), share=4),
    Target("ids", parts.an_id, parts.named(ids), parts.named(twin(ids))),
    Target("tokens", parts.a_token, parts.verified(secrets), parts.verified(twin(secrets))),
    Target("macs", parts.a_message, parts.macs(secrets), parts.macs(twin(secrets))),
    Target("decide", parts.a_batch, parts.decided(decide), parts.decided(twin(decide))),
    Target("recent", parts.a_memory, parts.remembered(recent), parts.remembered(twin(recent))),
    Target("batcher", parts.a_rush, parts.settled(batcher), parts.settled(twin(batcher))),
]
LOADED = MODULES
