import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";
import { expect, test } from "vitest";
import { EMPTY, outlook, saleOf, type Wish } from "./wish";

dayjs.extend(utc);
dayjs.extend(timezone);

const WISH: Wish = { ...EMPTY, sku_id: "sku_1", name: " 双十一 ", units: 300, price: "19.90", limit: 2, hold_minutes: 10 };

test("what the picker shows is the store's clock", () => {
  const sale = saleOf({ ...WISH, starts: dayjs("2026-11-11T00:00:00"), ends: dayjs("2026-11-12T00:00:00") }, "Asia/Shanghai");
  expect(sale).toMatchObject({ starts_at: "2026-11-10T16:00:00.000Z", ends_at: "2026-11-11T16:00:00.000Z", name: "双十一", price_minor: 1990, hold_s: 600 });
});

test("nothing is asked while something is missing", () => {
  expect(saleOf({ ...WISH, price: "19.901" }, "UTC")).toBeNull();
  expect(saleOf({ ...WISH, price: "0" }, "UTC")).toBeNull();
  expect(saleOf({ ...WISH, units: null }, "UTC")).toBeNull();
});

test("the outlook is in numbers", () => {
  expect(outlook({ ...WISH, starts: dayjs("2026-11-11T00:00:00"), ends: dayjs("2026-11-11T02:30:00") }, "Asia/Shanghai")).toEqual({ minor: 597_000, shoppers: 150, hours: 2.5 });
  expect(outlook({ ...WISH, limit: 0 }, "UTC")).toEqual({ minor: 597_000, shoppers: null, hours: null });
});

test("only a sale behind the gate has a waiting room", () => {
  expect(saleOf({ ...WISH, waiting_room: "line" }, "UTC")?.waiting_room).toBe("off");
  expect(saleOf({ ...WISH, door: "gate", waiting_room: "draw" }, "UTC")?.waiting_room).toBe("draw");
});

test("only a sale behind the gate has a way past it", () => {
  expect(saleOf({ ...WISH, fallback_per_s: 50 }, "UTC")?.fallback_per_s).toBe(0);
  expect(saleOf({ ...WISH, door: "gate", fallback_per_s: 50 }, "UTC")?.fallback_per_s).toBe(50);
});
