import type { OrderQuery, OrderState } from "../../api/orders";

export const STATES: OrderState[] = ["awaiting", "closing", "paid", "delivered", "refunding", "refunded", "expired", "cancelled", "refused"];
export const SPANS = ["today", "yesterday", "7d", "30d", "90d"] as const;
export type Span = (typeof SPANS)[number];

/** The filters as the URL holds them: a span goes on moving with the days, `since` and `until` are moments that stay. */
export interface Filters {
  q?: string;
  state?: string;
  channel?: string;
  sale_id?: string;
  tag_id?: string;
  shopper_id?: string;
  span?: string;
  since?: string;
  until?: string;
}

export const FILTER_NAMES = ["q", "state", "channel", "sale_id", "tag_id", "shopper_id", "span", "since", "until"] as const;

/** Midnight at the beginning of a day (`2026-11-23`) in a zone, as an instant. */
export function midnight(day: string, zone: string): Date {
  const utc = Date.parse(`${day}T00:00:00Z`);
  let at = utc - offsetMs(new Date(utc), zone);
  at = utc - offsetMs(new Date(at), zone); // the offset of that moment, which a change of the clocks makes another
  return new Date(at);
}

function offsetMs(at: Date, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(at);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - Math.floor(at.getTime() / 1000) * 1000;
}

/** The day it is in a zone. */
export function dayIn(zone: string, at: Date): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

export function dayPlus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

const DAYS: Record<Span, number> = { today: 0, yesterday: 1, "7d": 6, "30d": 29, "90d": 89 };

function isMoment(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));
}

function spanOf(filters: Filters, zone: string, now: Date): { since?: string; until?: string } {
  const isSpan = (SPANS as readonly string[]).includes(filters.span ?? "");
  const today = dayIn(zone, now);
  if (isSpan) {
    const since = midnight(dayPlus(today, -DAYS[filters.span as Span]), zone).toISOString();
    return filters.span === "yesterday" ? { since, until: midnight(today, zone).toISOString() } : { since };
  }
  const span: { since?: string; until?: string } = {};
  if (isMoment(filters.since)) span.since = filters.since;
  if (isMoment(filters.until)) span.until = filters.until;
  return span;
}

/** What the API is asked for these filters. Words among a shopper's orders are refused by it: the shopper counts then. */
export function queryOf(filters: Filters, zone: string, now: Date): OrderQuery {
  const query: OrderQuery = spanOf(filters, zone, now);
  const q = filters.q?.trim();
  if (q && !filters.shopper_id) query.q = q;
  if (STATES.includes(filters.state as OrderState)) query.state = filters.state as OrderState;
  if (filters.channel) query.channel = filters.channel;
  if (filters.sale_id) query.sale_id = filters.sale_id;
  if (filters.tag_id) query.tag_id = filters.tag_id;
  if (filters.shopper_id) query.shopper_id = filters.shopper_id;
  return query;
}

export interface View {
  name: string;
  search: string;
}

const VIEWS_MAX = 20;

/** Saved views are somebody's own, and stay in his browser: by person and store. */
export function viewsKey(userId: string, tenantId: string): string {
  return `tessera.views.orders.${userId}.${tenantId}`;
}

export function readViews(storage: Storage, key: string): View[] {
  try {
    const read: unknown = JSON.parse(storage.getItem(key) ?? "[]");
    if (!Array.isArray(read)) return [];
    return read.filter((each): each is View => typeof each?.name === "string" && typeof each?.search === "string").slice(0, VIEWS_MAX);
  } catch {
    return [];
  }
}

/** With one more, or the one of that name replaced; the newest first. */
export function withView(views: View[], view: View): View[] {
  return [view, ...views.filter((each) => each.name !== view.name)].slice(0, VIEWS_MAX);
}

/** Of a URL's search only what is a filter, in one order: two views are the same when these are. */
export function filtersOf(search: string): string {
  const given = new URLSearchParams(search);
  const kept = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = given.get(name);
    if (value) kept.set(name, value);
  }
  return kept.toString();
}
