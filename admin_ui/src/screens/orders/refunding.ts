import type { Standing, StandingLine, StandingUnit } from "../../api/orders";

/** What of a line can still be refunded. One that waits to be fulfilled goes back as a whole. */
export interface Choice {
  line: StandingLine;
  units: StandingUnit[];
  whole: boolean;
}

export function choices(standing: Standing): Choice[] {
  return standing.lines.map((line) => ({
    line,
    units: line.units.filter((unit) => unit.state === "delivered" || unit.state === "waiting"),
    whole: line.task?.state === "pending",
  }));
}

export interface Outcome {
  /** Minor units that go back. */
  amount: number;
  units: number[];
  /** Units that the shopper has in his hands and that end with it. */
  revoked: number;
  /** Lines that nobody fulfils any more. */
  stopped: number;
  /** All that is left: then the order is over. */
  everything: boolean;
}

/** What happens when these units are refunded. */
export function outcome(standing: Standing, chosen: ReadonlySet<number>): Outcome {
  const found: Outcome = { amount: 0, units: [], revoked: 0, stopped: 0, everything: true };
  for (const { units, whole } of choices(standing)) {
    const mine = units.filter((unit) => chosen.has(unit.unit));
    if (mine.length < units.length) found.everything = false;
    if (whole && mine.length > 0) found.stopped += 1;
    for (const unit of mine) {
      found.amount += unit.paid_minor;
      found.units.push(unit.unit);
      if (unit.state === "delivered") found.revoked += 1;
    }
  }
  if (found.units.length === 0) found.everything = false;
  return found;
}

/** Chosen or not; a line that waits takes all of its units along. */
export function toggled(standing: Standing, chosen: ReadonlySet<number>, unit: number, on: boolean): Set<number> {
  const next = new Set(chosen);
  const choice = choices(standing).find((each) => each.units.some((one) => one.unit === unit));
  const meant = choice?.whole ? choice.units.map((each) => each.unit) : [unit];
  for (const each of meant) {
    if (on) next.add(each);
    else next.delete(each);
  }
  return next;
}

export interface Sum {
  paid: number;
  returned: number;
  onItsWay: number;
  refused: number;
}

/** The money of an order: what was applied to it, what went back, what is on its way, what the provider refused to return. */
export function moneyOf(standing: Standing): Sum {
  const sum: Sum = { paid: 0, returned: 0, onItsWay: 0, refused: 0 };
  for (const payment of standing.payments) if (payment.disposition === "applied") sum.paid += payment.amount_minor;
  for (const refund of standing.refunds) {
    if (refund.reason !== "requested") continue;
    if (refund.state === "succeeded") sum.returned += refund.amount_minor;
    else if (refund.state === "failed") sum.refused += refund.amount_minor;
    else sum.onItsWay += refund.amount_minor;
  }
  return sum;
}

/** Whether something of it changes by itself soon: then the page looks again. */
export function isMoving(standing: Standing | undefined, state: string): boolean {
  if (state === "closing" || state === "refunding") return true;
  return standing?.refunds.some((refund) => refund.state === "requested") ?? false;
}
