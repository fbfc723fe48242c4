import { expect, it } from "vitest";
import type { Case } from "../../api/exceptions";
import { amountOf, fulfilmentOf, kindKey, noteOf, orderOf } from "./cases";

function one(kind: string, reference: string, detail: Record<string, unknown> = {}): Case {
  return {
    id: "exc_1", kind, reference, detail: detail as Case["detail"], created_at: "", state: "open", may_retry: false, needs_two: false, resolution: null, asked_by: null,
    asked_at: null, resolved_by: null, resolved_at: null,
  };
}

it("has words for every kind, also for those that come later", () => {
  expect(kindKey("refund_refused")).toBe("refund_refused");
  expect(kindKey("webhook_event_stuck")).toBe("stuck");
  expect(kindKey("something_new")).toBe("other");
});

it("finds what a case is about", () => {
  const refund = one("refund_refused", "ref_1", { order: "ord_1", amount_minor: 990, currency: "CNY", why: "NOT_ENOUGH" });
  expect([orderOf(refund), amountOf(refund), noteOf(refund)]).toEqual(["ord_1", { minor: 990, currency: "CNY" }, "NOT_ENOUGH"]);
  expect(orderOf(one("orders_stuck", "ab"))).toBe("ord_ab");
  expect(fulfilmentOf(one("fulfilment_overdue", "ful_1"))).toBe("ful_1");
  expect([orderOf(one("x", "y")), amountOf(one("x", "y")), noteOf(one("x", "y"))]).toEqual([undefined, undefined, undefined]);
});
