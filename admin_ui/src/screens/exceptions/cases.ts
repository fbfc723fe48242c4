import type { Case } from "../../api/exceptions";

export const KINDS = [
  "refund_refused", "payment_without_attempt", "fulfilment_overdue", "topup_unanswered", "reusable_without_code", "webhook_endpoint_disabled",
] as const;

/** The words of a kind: its own, or those of whatever keeps failing. */
export function kindKey(kind: string): string {
  if ((KINDS as readonly string[]).includes(kind)) return kind;
  return kind.endsWith("_stuck") ? "stuck" : "other";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The order that a case is about, if it says so. */
export function orderOf(one: Case): string | undefined {
  const order = text(one.detail["order"]);
  if (order?.startsWith("ord_")) return order;
  return one.kind === "orders_stuck" ? `ord_${one.reference}` : undefined;
}

export function fulfilmentOf(one: Case): string | undefined {
  return one.reference.startsWith("ful_") ? one.reference : undefined;
}

export function amountOf(one: Case): { minor: number; currency: string } | undefined {
  const { amount_minor: minor, currency } = one.detail;
  return typeof minor === "number" && typeof currency === "string" ? { minor, currency } : undefined;
}

/** What the rules noted besides: the provider's word, the table that keeps failing. */
export function noteOf(one: Case): string | undefined {
  return text(one.detail["why"]) ?? text(one.detail["because"]) ?? text(one.detail["out_trade_no"]);
}
