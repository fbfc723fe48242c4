import { describe, expect, it } from "vitest";
import type { Standing } from "../../api/orders";
import { masked } from "./contact";
import { dayIn, filtersOf, midnight, queryOf, readViews, withView } from "./filters";
import { choices, isMoving, moneyOf, outcome, toggled } from "./refunding";
import { neighbours } from "./walk";

const NOW = new Date("2026-11-23T17:30:00Z"); // the 24th in Shanghai
const ZONE = "Asia/Shanghai";

function unit(number: number, state: string, paid_minor: number) {
  return { unit: number, state, paid_minor, delivered_at: null, revealed_at: null, refund_id: null, replaced_by: null };
}

const task = { fulfilment_id: "ful_1", state: "pending", problem: null, due_at: NOW.toISOString() };
const line = { sku_id: "sku_1", sku_name: "x", type: "code", quantity: 3, asks: false, task: null };
const refund = { id: "ref_1", order_id: "", payment_id: "", out_refund_no: "", currency: "CNY", tries: 0, units: [], created_at: "", finished_at: null };
const standing: Standing = {
  shopper_id: "shp_1",
  lines: [
    { ...line, sale_id: "sal_1", units: [unit(1, "delivered", 500), unit(2, "refunded", 300), unit(3, "delivered", 190)] },
    { ...line, sale_id: "sal_2", task, units: [unit(4, "waiting", 100), unit(5, "waiting", 100)] },
  ],
  payments: [
    { id: "", order_id: "", account_id: "", provider: "", mch_id: "", txn_id: "", amount_minor: 1190, currency: "CNY", disposition: "applied", paid_at: "" },
    { id: "", order_id: "", account_id: "", provider: "", mch_id: "", txn_id: "", amount_minor: 1190, currency: "CNY", disposition: "double", paid_at: "" },
  ],
  refunds: [
    { ...refund, reason: "requested", state: "succeeded", amount_minor: 300 },
    { ...refund, reason: "double", state: "requested", amount_minor: 1190 },
  ],
};

describe("filters", () => {
  it("counts days in the store's zone", () => {
    expect(dayIn(ZONE, NOW)).toBe("2026-11-24");
    expect(queryOf({ span: "today" }, ZONE, NOW)).toEqual({ since: "2026-11-23T16:00:00.000Z" });
    expect(queryOf({ span: "yesterday" }, ZONE, NOW)).toEqual({ since: "2026-11-22T16:00:00.000Z", until: "2026-11-23T16:00:00.000Z" });
    expect(queryOf({ since: "2026-11-01T00:00:00.000Z", until: "x" }, ZONE, NOW)).toEqual({ since: "2026-11-01T00:00:00.000Z" });
  });

  it("knows the days on which clocks change", () => {
    expect(midnight("2026-03-29", "Europe/Berlin").toISOString()).toBe("2026-03-28T23:00:00.000Z");
    expect(midnight("2026-03-30", "Europe/Berlin").toISOString()).toBe("2026-03-29T22:00:00.000Z");
    expect(midnight("2026-10-26", "Europe/Berlin").toISOString()).toBe("2026-10-25T23:00:00.000Z");
  });

  it("leaves out what is no filter of the API", () => {
    expect(queryOf({ state: "nonsense", q: "  ", channel: "web" }, ZONE, NOW)).toEqual({ channel: "web" });
    expect(queryOf({ q: "ann", shopper_id: "shp_1" }, ZONE, NOW)).toEqual({ shopper_id: "shp_1" });
    expect(filtersOf("?cursor=x&tag_id=t&q=ann")).toBe("q=ann&tag_id=t");
  });

  it("keeps views, the newest first and each name once", () => {
    const views = withView(withView([{ name: "a", search: "x" }], { name: "b", search: "y" }), { name: "a", search: "z" });
    expect(views).toEqual([{ name: "a", search: "z" }, { name: "b", search: "y" }]);
    const broken = { getItem: () => "{" } as unknown as Storage;
    expect(readViews(broken, "k")).toEqual([]);
  });
});

describe("refunds", () => {
  it("say what goes back and what ends", () => {
    expect(choices(standing).map((each) => each.units.map((one) => one.unit))).toEqual([[1, 3], [4, 5]]);
    expect(outcome(standing, new Set([1]))).toEqual({ amount: 500, units: [1], revoked: 1, stopped: 0, everything: false });
    expect(outcome(standing, new Set([1, 3, 4, 5]))).toEqual({ amount: 890, units: [1, 3, 4, 5], revoked: 2, stopped: 1, everything: true });
    expect(outcome(standing, new Set())).toMatchObject({ amount: 0, everything: false });
  });

  it("take a line that waits as a whole", () => {
    expect([...toggled(standing, new Set(), 4, true)]).toEqual([4, 5]);
    expect([...toggled(standing, new Set([1, 4, 5]), 5, false)]).toEqual([1]);
    expect([...toggled(standing, new Set(), 3, true)]).toEqual([3]);
  });

  it("count an order's own money only", () => {
    expect(moneyOf(standing)).toEqual({ paid: 1190, returned: 300, onItsWay: 0, refused: 0 });
    expect(isMoving(standing, "delivered")).toBe(true);
    expect(isMoving({ ...standing, refunds: [] }, "delivered")).toBe(false);
  });
});

describe("contact", () => {
  it("is masked so that nobody can write to it", () => {
    expect(masked("ann@example.org")).toBe("an***@example.org");
    expect(masked("a@example.org")).toBe("a***@example.org");
    expect(masked("13800138000")).toBe("138****8000");
    expect(masked("bob")).toBe("b***");
  });
});

describe("walk", () => {
  it("knows the neighbours in the list one came from", () => {
    const walk = { ids: ["a", "b", "c"], search: "" };
    expect(neighbours(walk, "b")).toEqual({ place: 1, previous: "a", next: "c" });
    expect(neighbours(walk, "x")).toEqual({ place: -1, previous: undefined, next: undefined });
  });
});
