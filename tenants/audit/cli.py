"""`tessera audit`: prove the audit's chains, anchor their heads now, or have older entries linked.

Exit code of `verify`: 0 nothing is wrong; 1 something was changed; 2 it could not be looked at.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec

from checkout_core import ids
from checkout_core.config import Settings
from checkout_core.errors import NotFound
from tenants.audit import anchors
from tenants.audit.anchors import BadAnchors, Kept, NotKept
from tenants.audit.verify import Verdict, noted, queue_strays, verify
from tenants.db import CONNECTION_LOST, create_pool, dsn_for
from tenants.invariants.run import snapshot


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        settings = Settings.from_env()
        return int(asyncio.run(args.work(settings, args)))
    except (ValueError, NotFound, BadAnchors, NotKept, OSError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
        print(f"tessera audit: could not look: {error or type(error).__name__}", file=sys.stderr)
        return 1 if isinstance(error, BadAnchors) else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="verify | anchor | link")
    proof = commands.add_parser("verify", help="no entry changed, removed, added or moved; anchors and chains agree")
    proof.add_argument("--tenant", default="", metavar="TEN", help="`ten_…`: this store alone")
    proof.add_argument("--anchors", default="", metavar="DIR", help="the anchors' folder, or a copy of it (default: TESSERA_ANCHOR_DIR)")
    proof.add_argument("--public-key", default="", metavar="HEX", help="by which anchors are checked (default: from TESSERA_SECRET)")
    proof.add_argument("--json", action="store_true", help="print the report for programs")
    proof.set_defaults(work=_verify)
    commands.add_parser("anchor", help="sign and keep the heads that moved, now").set_defaults(work=_anchor)
    commands.add_parser("link", help="after an update: have entries linked that the release before wrote").set_defaults(work=_link)
    return parser


async def _verify(settings: Settings, args: argparse.Namespace) -> int:
    public = bytes.fromhex(args.public_key) if args.public_key else anchors.Signer(settings.secret).public
    folder = args.anchors or settings.anchor_dir
    tenant_id = ids.decode("ten", args.tenant) if args.tenant else None
    conn = await asyncpg.connect(dsn_for(settings, "tessera_migrator"), timeout=10, server_settings={"application_name": "tessera-audit"})
    try:
        before = await noted(conn, tenant_id) if folder else {}
        kept = anchors.read(Path(folder), public) if folder else None
        async with snapshot(conn):
            verdict = await verify(conn, tenant_id=tenant_id, kept=kept, before=before)
    finally:
        await conn.close()
    print(_as_json(verdict) if args.json else as_text(verdict, kept))
    return 1 if verdict.faults else 0


async def _anchor(settings: Settings, args: argparse.Namespace) -> int:
    async with await create_pool(dsn_for(settings, "tessera_platform"), size=1, name="tessera-audit") as platform:
        signer = anchors.Signer(settings.secret)
        count = await anchors.anchor(platform, signer, anchors.sink_of(settings.anchor_dir))
    print(f"{count} heads anchored; public key {signer.public.hex()}")
    return 0


async def _link(settings: Settings, args: argparse.Namespace) -> int:
    conn = await asyncpg.connect(dsn_for(settings, "tessera_migrator"), timeout=10)
    try:
        print(f"{await queue_strays(conn)} entries will be linked by the worker")
    finally:
        await conn.close()
    return 0


def as_text(verdict: Verdict, kept: Kept | None) -> str:
    """One line a fault, and a sentence."""
    lines = [
        f"{ids.encode('ten', fault.tenant_id)}  {fault.what:8} {f'link {fault.seq}' if fault.seq is not None else '':12}"
        f"{f'entry {fault.entry.hex}  ' if fault.entry else ''}{fault.detail}"
        for fault in verdict.faults
    ]
    held = f"held against {verdict.anchored:,} anchored heads" if kept else "not held against anchors (--anchors)"
    lines.append(f"{verdict.entries:,} links of {verdict.tenants:,} chains, {held}: {len(verdict.faults) or 'no'} faults")
    return "\n".join(lines)


def _as_json(verdict: Verdict) -> str:
    faults = [fault._asdict() | {"tenant_id": ids.encode("ten", fault.tenant_id)} for fault in verdict.faults]
    return json.dumps(msgspec.to_builtins(verdict._asdict() | {"faults": faults}), indent=2)
