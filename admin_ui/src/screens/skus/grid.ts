/**
 * A grid of SKUs that is edited in place. Everything is text until it is saved: a cell is changed when its text means something else than
 * what the server had, and what cannot be read stays as it was typed, marked, so that nothing is lost.
 */
import type { components } from "@/api/client";
import { amountText, parseAmount } from "./amount";

export type Sku = components["schemas"]["ListedSku"];
export type SkuRow = components["schemas"]["SkuRow"];

export const KEYS = ["name", "reference", "price_minor", "cost_minor", "face_value", "limit_per_shopper", "state", "usage_note"] as const;
export type Key = (typeof KEYS)[number];
export type Texts = Record<Key, string>;
export const STATES = ["draft", "published", "archived"] as const;

export interface Row {
  id: string;
  productId: string;
  etag: string;
  currency: string;
  onShelf: boolean;
  base: Texts;
}

/** What somebody else made of a row since it was read. */
export interface Theirs {
  etag: string;
  base: Texts;
}

export interface Grid {
  rows: Row[];
  edits: Record<string, Partial<Texts>>;
  conflicts: Record<string, Theirs>;
  refusals: Record<string, { code: string; why: string }>;
  past: Record<string, Partial<Texts>>[];
}

export const EMPTY: Grid = { rows: [], edits: {}, conflicts: {}, refusals: {}, past: [] };
const PAST_MAX = 100;

export function rowOf(sku: Sku): Row {
  return {
    id: sku.id,
    productId: sku.product_id,
    etag: sku.etag,
    currency: sku.currency,
    onShelf: sku.shelf !== null,
    base: {
      name: sku.name,
      reference: sku.reference ?? "",
      price_minor: amountText(sku.price_minor, sku.currency),
      cost_minor: amountText(sku.cost_minor, sku.currency),
      face_value: sku.face_value ?? "",
      limit_per_shopper: sku.shelf ? String(sku.shelf.limit_per_shopper) : "",
      state: sku.state,
      usage_note: sku.usage_note,
    },
  };
}

export type Wrong = "amount" | "decimals" | "much" | "zero" | "needed" | "long" | "count" | "state" | "off_shelf";
export type Read = { value: string | number | null } | { wrong: Wrong };

const LONGEST: Partial<Record<Key, number>> = { name: 200, reference: 64, face_value: 64, usage_note: 5000 };

/** What a cell's text means for the API, or why it means nothing. */
export function read(key: Key, text: string, row: Row, stateWords: Record<string, string> = {}): Read {
  const trimmed = key === "usage_note" ? text : text.trim();
  switch (key) {
    case "price_minor": {
      const amount = parseAmount(trimmed, row.currency);
      if ("wrong" in amount) return amount;
      return amount.minor === 0 ? { wrong: "zero" } : { value: amount.minor };
    }
    case "cost_minor": {
      if (trimmed === "") return { value: null };
      const amount = parseAmount(trimmed, row.currency);
      return "wrong" in amount ? amount : { value: amount.minor };
    }
    case "limit_per_shopper": {
      if (!row.onShelf) return trimmed === "" ? { value: null } : { wrong: "off_shelf" };
      const plain = trimmed.normalize("NFKC");
      return /^\d{1,4}$/.test(plain) && Number(plain) <= 1000 ? { value: Number(plain) } : { wrong: "count" };
    }
    case "state": {
      const named = stateWords[trimmed] ?? trimmed;
      return (STATES as readonly string[]).includes(named) ? { value: named } : { wrong: "state" };
    }
    default: {
      if (trimmed === "" && key === "name") return { wrong: "needed" };
      if ([...trimmed].length > (LONGEST[key] ?? Infinity)) return { wrong: "long" };
      return { value: trimmed === "" && key !== "usage_note" ? null : trimmed };
    }
  }
}

function same(key: Key, a: string, b: string, row: Row, words: Record<string, string>): boolean {
  if (a === b) return true;
  const [one, other] = [read(key, a, row, words), read(key, b, row, words)];
  return "value" in one && "value" in other && one.value === other.value;
}

export function textOf(grid: Grid, row: Row, key: Key): string {
  return grid.edits[row.id]?.[key] ?? row.base[key];
}

/** How many cells of how many rows differ from the server's. */
export function dirty(grid: Grid): { rows: number; cells: number } {
  const changed = Object.values(grid.edits);
  return { rows: changed.length, cells: changed.reduce((sum, each) => sum + Object.keys(each).length, 0) };
}

export function wrongOf(grid: Grid, row: Row, key: Key, words: Record<string, string> = {}): Wrong | null {
  const text = grid.edits[row.id]?.[key];
  if (text === undefined) return null;
  const found = read(key, text, row, words);
  return "wrong" in found ? found.wrong : null;
}

/** The cells that cannot be saved as they are. */
export function allWrong(grid: Grid, words: Record<string, string> = {}): { id: string; key: Key; wrong: Wrong }[] {
  return grid.rows.flatMap((row) =>
    KEYS.flatMap((key) => {
      const wrong = wrongOf(grid, row, key, words);
      return wrong ? [{ id: row.id, key, wrong }] : [];
    }),
  );
}

export interface Change {
  id: string;
  key: Key;
  text: string;
}

/** Cells set to texts. One that then says what the server has is no change any more. */
export function edit(grid: Grid, changes: Change[], words: Record<string, string> = {}): Grid {
  const rows = new Map(grid.rows.map((row) => [row.id, row]));
  const edits = { ...grid.edits };
  const refusals = { ...grid.refusals };
  for (const { id, key, text } of changes) {
    const row = rows.get(id);
    if (!row) continue;
    const { [key]: _before, ...others } = edits[id] ?? {};
    if (same(key, text, row.base[key], row, words)) edits[id] = others;
    else edits[id] = { ...others, [key]: text };
    if (Object.keys(edits[id]!).length === 0) delete edits[id];
    delete refusals[id];
  }
  return { ...grid, edits, refusals, past: [...grid.past, grid.edits].slice(-PAST_MAX) };
}

export function undo(grid: Grid): Grid {
  const before = grid.past.at(-1);
  return before ? { ...grid, edits: before, past: grid.past.slice(0, -1), refusals: {} } : grid;
}

export function discard(grid: Grid): Grid {
  return { ...grid, edits: {}, refusals: {}, conflicts: {}, past: [...grid.past, grid.edits].slice(-PAST_MAX) };
}

export interface Place {
  row: number;
  column: number;
}

/**
 * A block laid on the grid from `at`; one cell fills the whole of `range`. What would lie outside is left out and counted, so that nobody
 * believes it was taken.
 */
export function paste(
  grid: Grid, keys: readonly Key[], at: Place, range: { rows: number; columns: number }, block: string[][], words: Record<string, string> = {},
): { grid: Grid; taken: number; outside: number } {
  const one = block.length === 1 && block[0]!.length === 1;
  const cells = one
    ? Array.from({ length: range.rows }, () => Array.from({ length: range.columns }, () => block[0]![0]!))
    : block;
  const changes: Change[] = [];
  let outside = 0;
  cells.forEach((texts, down) =>
    texts.forEach((text, right) => {
      const row = grid.rows[at.row + down];
      const key = keys[at.column + right];
      if (row && key) changes.push({ id: row.id, key, text });
      else outside += 1;
    }),
  );
  return { grid: edit(grid, changes, words), taken: changes.length, outside };
}

/** What to send: only changed cells, with the tag that was read. Rows with something unreadable are not in it. */
export function wanted(grid: Grid, words: Record<string, string> = {}): SkuRow[] {
  return grid.rows.flatMap((row) => {
    const changed = grid.edits[row.id];
    if (!changed) return [];
    const values: Record<string, string | number | null> = {};
    for (const [key, text] of Object.entries(changed) as [Key, string][]) {
      const found = read(key, text, row, words);
      if ("wrong" in found) return [];
      values[key] = found.value;
    }
    return [{ sku_id: row.id, etag: row.etag, ...values } as SkuRow];
  });
}

/** Rows as the server has them. Edits stay, and an edited row that is another than before is told as a conflict, with what they say. */
export function refreshed(grid: Grid, skus: Sku[]): Grid {
  const known = new Map(grid.rows.map((row) => [row.id, row]));
  const conflicts = { ...grid.conflicts };
  const rows = skus.map((sku) => {
    const now = rowOf(sku);
    const before = known.get(sku.id);
    if (!before || !grid.edits[sku.id] || before.etag === now.etag) return now;
    conflicts[sku.id] = { etag: now.etag, base: now.base };
    return before;
  });
  return { ...grid, rows, conflicts };
}

/** Rows that were saved are as they are now, and no longer changed. */
export function saved(grid: Grid, skus: Sku[]): Grid {
  const now = new Map(skus.map((sku) => [sku.id, rowOf(sku)]));
  const left = <T>(of: Record<string, T>) => Object.fromEntries(Object.entries(of).filter(([id]) => !now.has(id)));
  const rows = grid.rows.map((row) => now.get(row.id) ?? row);
  return { rows, edits: left(grid.edits), conflicts: left(grid.conflicts), refusals: left(grid.refusals), past: [] };
}

/** What the server would not save, by row; rows that somebody changed meanwhile come with `theirs`. */
export function refused(grid: Grid, problems: { sku_id: string; code: string; why: string }[], theirs: Sku[]): Grid {
  const conflicts = { ...grid.conflicts };
  for (const sku of theirs) conflicts[sku.id] = { etag: sku.etag, base: rowOf(sku).base };
  const others = problems.filter((each) => each.code !== "precondition_failed");
  return { ...grid, conflicts, refusals: Object.fromEntries(others.map(({ sku_id, code, why }) => [sku_id, { code, why }])) };
}

/** `mine`: what I typed goes over what they made of it. `theirs`: my edits of the row go. Either way the row is now as they left it below. */
export function settle(grid: Grid, id: string, whose: "mine" | "theirs", words: Record<string, string> = {}): Grid {
  const theirs = grid.conflicts[id];
  if (!theirs) return grid;
  const { [id]: _settled, ...conflicts } = grid.conflicts;
  const { [id]: mine, ...edits } = grid.edits;
  const rows = grid.rows.map((row) => (row.id === id ? { ...row, ...theirs } : row));
  const settled = { ...grid, rows, edits, conflicts, past: [] };
  if (whose === "theirs" || !mine) return settled;
  return { ...edit(settled, Object.entries(mine).map(([key, text]) => ({ id, key: key as Key, text: text! })), words), past: [] };
}
