"""The report for people."""

from typing import Any


def report_text(report: dict[str, Any], rush: dict[str, Any], seconds: float) -> str:
    """A page of figures; `seconds` is what the whole demonstration took."""
    reserve, sold_out, pay = report["reserve"], report["sold_out"], rush["pay"]
    steady = sold_out["open"]
    refusals = ", ".join(f"{count:,} {code}" for code, count in sorted(report["answers"].items()) if code != "reserved")
    to_code = pay["steps_ms"].get("paid_to_delivered", {})
    lines = [
        "",
        f"Sold {report['sold']:,} of {report['units']:,} units to {report['shoppers']:,} shoppers in {report['presses']:,} presses.",
        f"  told        {report['answers']['reserved']:,} reserved, {refusals}",
        f"  oversold {report['oversold']} · duplicates {report['duplicates']} · ledger imbalance {report['ledger_imbalance']}",
        f"  orders      {report['paid']:,} paid, {report['delivered']:,} delivered, {report['refunded']:,} refunded",
        f"  codes       {pay['codes']:,} seen by their buyers, {pay['duplicates']} of them twice",
        f"  reserve     {_run(reserve)}",
        f"  sold out    {_run(sold_out)}",
        f"              open loop at {steady['rate_per_s']:,.0f}/s: p50 {_ms(steady['p50_ms'])}, p99 {_ms(steady['p99_ms'])}",
        f"  paid→code   p50 {_ms(to_code.get('p50'))}, p99 {_ms(to_code.get('p99'))}, CPU µs an order: {_cpu(pay['cpu_us'])}",
        "",
        *_flash(report["flash"]),
        "",
        shelf_text(report["shelf"]["types"]),
        "",
        "Files",
        *(f"  {file:22}{_import(each)}" for file, each in report["imports"].items()),
        "",
        _faces(report["faces"]),
        f"Invariants: {_invariants(report['invariants'])}",
        f"Took {seconds:.1f} s.",
    ]
    return "\n".join(lines)


def _flash(flash: dict[str, Any]) -> list[str]:
    return [
        f"Flash sale: {flash['sold']:,} of {flash['units']:,} units to {flash['shoppers']:,} shoppers in {flash['requests']:,} requests.",
        f"  oversold {flash['oversold']} · {flash['orders']:,} orders committed, {flash['paid']:,} paid, {flash['delivered']:,} delivered",
        f"  RESERVE     {_run(flash['reserve'])}",
        f"  SOLD-OUT    {_run(flash['sold_out'])}",
    ]


def _faces(faces: dict[str, Any]) -> str:
    console = "not built (make console says why)" if faces["console"] is None else faces["console"]
    return f"Faces: store {faces['store']}, console {console}, sign-in {faces['sign_in']}."


def shelf_text(types: dict[str, Any]) -> str:
    """The line of the shelf: what was bought of each type and is good for what it was bought for."""
    delivered = [name for name, seen in types.items() if seen["delivered"] == seen["sold"] and seen["used"]]
    return f"Shelf: {len(types)} types sold, {len(delivered)} delivered and used{': ' if delivered else ''}{', '.join(delivered)}."


def _run(run: dict[str, Any]) -> str:
    rate = "?" if run["per_s"] is None else f"{run['per_s']:,.0f}"
    return f"{rate}/s, p50 {_ms(run['p50_ms'])}, p99 {_ms(run['p99_ms'])}, CPU µs each: {_cpu(run['cpu_us'])}"


def _cpu(cpu_us: dict[str, float | None]) -> str:
    return " + ".join(f"{role} {'?' if us is None else f'{us:,.0f}'}" for role, us in cpu_us.items() if role != "loader")


def _ms(value: float | None) -> str:
    return "?" if value is None else f"{value:,.1f} ms"


def _import(each: dict[str, Any]) -> str:
    lines = ", ".join(map(str, each["malformed"]))
    malformed = f"{len(each['malformed'])} malformed (line {lines})" if each["malformed"] else "0 malformed"
    return f"{each['loaded']:>7,} loaded, {each['duplicates']} duplicates, {malformed}, {each['blank']} blank"


def _invariants(invariants: dict[str, str]) -> str:
    by_status: dict[str, list[str]] = {}
    for name, status in invariants.items():
        by_status.setdefault(status, []).append(name)
    return " · ".join(f"{len(names)} {status.upper() if status == 'violated' else status}" for status, names in by_status.items()) + (
        "  (" + ", ".join(by_status["not checked"]) + " not checked)" if "not checked" in by_status else ""
    )


def addresses(demo: dict[str, Any], *, port: int, files: str, shell: str) -> str:
    """Where to look, once the store serves."""
    owner = demo["owner"]
    return "\n".join(
        [
            "",
            "Both faces are open, the shoppers' and the merchant's:",
            f"  store       http://{demo['store_host']}:{port}/",
            f"  console     {demo['console']}   {owner['mail']} / {owner['password']}",
            f"  API         {demo['api']}  with {demo['api_key']}",
            f"  provider    {demo['provider']}",
            f"  mails       {demo['mail']}/mails",
            f"  files       {files}",
            f"  in a shell  {shell}  (docs/guides/first-store.md)",
            "Ctrl-C ends everything.",
        ]
    )
