import dayjs, { type Dayjs } from "dayjs";
import type { NewSale } from "@/api/sales";
import { minorOf } from "@/ui/money";
import { inZone } from "@/ui/zone";

/** What is being put together. `starts` null is now; `ends` null is until somebody ends it. */
export interface Wish {
  sku_id?: string;
  name: string;
  units: number | null;
  price: string;
  currency: string;
  starts: Dayjs | null;
  ends: Dayjs | null;
  limit: number;
  hold_minutes: number;
  door: "direct" | "gate";
  fallback_per_s: number;
  waiting_room: "off" | "line" | "draw";
  everywhere: boolean;
  channels: string[];
}

export const EMPTY: Wish = {
  name: "", units: null, price: "", currency: "CNY", starts: null, ends: null, limit: 1, hold_minutes: 15, door: "direct", fallback_per_s: 0,
  waiting_room: "off", everywhere: true, channels: [],
};

/** What the API is asked; null while something is missing. */
export function saleOf(wish: Wish, zone: string): NewSale | null {
  const price = minorOf(wish.price, wish.currency);
  if (wish.sku_id === undefined || !wish.units || price === null || price === 0) return null;
  return {
    sku_id: wish.sku_id, name: wish.name.trim(), units: wish.units, limit_per_shopper: wish.limit, price_minor: price,
    starts_at: inZone(wish.starts, zone)?.toISOString() ?? null, ends_at: inZone(wish.ends, zone)?.toISOString() ?? null,
    hold_s: Math.round(wish.hold_minutes * 60), door: wish.door, fallback_per_s: wish.door === "gate" ? wish.fallback_per_s : 0,
    waiting_room: wish.door === "gate" ? wish.waiting_room : "off",
  };
}

/** In numbers: what all of it brings in, how many shoppers it is for, how long it runs. */
export function outlook(wish: Wish, zone: string): { minor: number | null; shoppers: number | null; hours: number | null } {
  const price = minorOf(wish.price, wish.currency);
  const units = wish.units ?? 0;
  const starts = inZone(wish.starts, zone) ?? dayjs();
  const ends = inZone(wish.ends, zone);
  return {
    minor: price === null || units === 0 ? null : price * units,
    shoppers: wish.limit > 0 && units > 0 ? Math.ceil(units / wish.limit) : null,
    hours: ends === null ? null : Math.round(ends.diff(starts, "minute") / 6) / 10,
  };
}
