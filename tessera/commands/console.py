"""`tessera console`: the merchant's console into build/console, where the API serves it from."""

import argparse
import sys

from tessera import console


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera console", description=__doc__)
    parser.add_argument("--check", action="store_true", help="its types and its tests too")
    parser.add_argument("--if-possible", action="store_true", help="without it, say why, and end well: /console then says how to build it")
    parser.add_argument(
        "--document", action="store_true", help="print the OpenAPI document that its types are made from, and do nothing else"
    )
    args = parser.parse_args(argv)
    if args.document:
        print(console.document().decode())
        return 0
    try:
        if console.build(check=args.check):
            print(f"Console        {console.OUT}")
    except (console.NoNode, console.Broken) as problem:
        print(f"The console was not built. {problem}", file=sys.stderr)
        return 0 if args.if_possible else 1
    return 0
