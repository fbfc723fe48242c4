import type { TimelineEntry } from "../../api/orders";

/** The dot of each kind of event. */
export const COLORS: Record<string, string> = {
  paid: "green", delivered: "green", refund_begun: "orange", refund_ended: "orange", ended: "red", note: "blue", mail: "blue",
};

/** The words of an event; some kinds say it otherwise by how it came out. */
export function titleKey(entry: TimelineEntry): string {
  const { kind, detail } = entry;
  if (kind === "paid") return `timeline.paid.${String(detail["disposition"])}`;
  if (kind === "refund_ended") {
    const state = String(detail["state"]);
    return ["succeeded", "failed"].includes(state) ? `timeline.refund_ended.${state}` : "timeline.refund_ended";
  }
  if (kind === "ended") {
    const state = String(detail["state"]);
    return ["expired", "cancelled"].includes(state) ? `timeline.ended.${state}` : "timeline.ended";
  }
  if (kind === "act") return `act.${String(detail["action"])}`;
  return `timeline.${kind}`;
}

/** What else is to be said of it. */
export function detailKeys(entry: TimelineEntry): string[] {
  const { kind, detail } = entry;
  const keys: string[] = [];
  if (kind === "refund_begun") keys.push(`reason.${String(detail["reason"])}`);
  if (kind === "mail") {
    keys.push(`timeline.mail.${String(detail["state"])}`);
    if (detail["elsewhere"] === true) keys.push("timeline.mail.elsewhere");
  }
  if (kind === "act" && typeof detail["reason"] === "string" && detail["action"] === "order.cancelled") keys.push(`cancel.reason.${detail["reason"]}`);
  return keys;
}
