/** The day an entitlement ends when it is prolonged by so many days, as an instant. */
export function prolonged(validUntil: string, days: number): string {
  return new Date(Date.parse(validUntil) + days * 86_400_000).toISOString();
}

const ENDING = new Set(["membership", "licence"]);

/** Whether its end can be moved: it has one, it was not taken back, and its type counts in days. */
export function mayProlong(one: { type: string; state: string; valid_until: string | null }): boolean {
  return ENDING.has(one.type) && one.state !== "revoked" && one.valid_until !== null;
}
