/** Where things live, by the prefix of their ids. */
const PLACES: Record<string, string> = {
  ord: "/orders/{id}",
  prd: "/products/{id}",
  sal: "/sales/{id}",
  bat: "/vault/imports/{id}",
  usr: "/staff",
  key: "/keys",
  whe: "/webhooks/{id}",
};

/** The path of the page that shows the thing with this id; null for anything else. */
export function targetOf(text: string): string | null {
  const id = text.trim();
  const found = /^([a-z]{3})_[0-9a-f]{32}$/.exec(id);
  return found ? (PLACES[found[1] ?? ""]?.replace("{id}", id) ?? null) : null;
}
