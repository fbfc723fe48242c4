import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, raw, take, type components } from "./client";
import type { OrderQuery } from "./orders";

export type OrderExport = components["schemas"]["OrderExport"];

/** The newest exports; while one is made, asked again every second and a half. */
export function useOrderExports(wanted: boolean) {
  return useQuery({
    queryKey: ["order-exports"],
    queryFn: async () => (await take(api.GET("/v1/order-exports", { params: { query: { limit: 10 } } }))).items,
    enabled: wanted,
    refetchInterval: (query) => (query.state.data?.some((each) => each.state === "running") ? 1_500 : false),
  });
}

const ANYTHING = { q: null, state: null, channel: null, sale_id: null, tag_id: null, shopper_id: null, since: null, until: null };

export function useExportOrders() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ format, query }: { format: "csv" | "xlsx"; query: OrderQuery }) =>
      take(api.POST("/v1/order-exports", { params: { header: newKey() }, body: { ...ANYTHING, ...query, format } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["order-exports"] }),
  });
}

/** Fetches a file of the API and hands it to the browser's downloads. */
export async function download(path: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await raw("GET", path)).blob());
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
