/** Whether every word of `text` begins somewhere in one of `names`; letters may be skipped in none. */
export function matches(text: string, ...names: string[]): boolean {
  const all = names.join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
