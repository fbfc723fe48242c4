/** What has to be typed before somebody is erased: the last six digits of his id, so that nobody erases the one beside him. */
export function proofOf(shopperId: string): string {
  return shopperId.slice(-6);
}

export function mayErase(shopper: { unfinished: number; erased_at: string | null }): "yes" | "unfinished" | "done" {
  if (shopper.erased_at !== null) return "done";
  return shopper.unfinished > 0 ? "unfinished" : "yes";
}
