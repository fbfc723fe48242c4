import { api, raw, take, type components } from "./client";
import type { Pages } from "./query";

export type Entry = components["schemas"]["AuditEntry"];
export type AuditFilters = Partial<Record<"actor" | "action" | "subject" | "since" | "until", string>>;

export const auditPages =
  (filters: AuditFilters): Pages<Entry> =>
  (page) => ({
    queryKey: ["audit", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/audit", { params: { query: { ...filters, ...page } } }));
      return { rows: found.items, next: found.next_cursor };
    },
  });

/** The file of exactly what is filtered. */
export async function exportAudit(filters: AuditFilters, kind: "csv" | "jsonl"): Promise<Blob> {
  const query = new URLSearchParams(Object.entries(filters));
  return (await raw("GET", `/v1/audit/export/${kind}?${query}`)).blob();
}
