export type Age = "late" | "soon" | "fine";

const SOON_MS = 15 * 60_000;

/** How pressing a line is: over its time, nearly, or not. */
export function ageOf(dueAt: string, now: number): Age {
  const left = Date.parse(dueAt) - now;
  return left < 0 ? "late" : left < SOON_MS ? "soon" : "fine";
}

const SENT_BACK = "Sent back: ";

/** Whether the shopper is asked again, and what he was told. */
export function sentBack(problem: string | null): string | null {
  return problem?.startsWith(SENT_BACK) ? problem.slice(SENT_BACK.length) : null;
}

/** Who is at it, while his word holds. */
export function claimOf(row: { claimed_by: string | null; claimed_until: string | null }, now: number): { by: string; minutes: number } | null {
  if (row.claimed_by === null || row.claimed_until === null) return null;
  const left = Date.parse(row.claimed_until) - now;
  return left <= 0 ? null : { by: row.claimed_by, minutes: Math.ceil(left / 60_000) };
}
