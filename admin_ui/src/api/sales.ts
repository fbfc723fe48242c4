import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import { queries, type Pages } from "./query";

type Schemas = components["schemas"];
export type Sale = Schemas["Sale"];
export type NewSale = Schemas["NewSale"];
export type Funnel = Schemas["Funnel"];
export type Channel = Schemas["Channel"];
export type SaleState = "open" | "paused" | "ended";

/** What `sale.progress` says, once a second while something changes. */
export interface Progress {
  sale_id: string;
  name: string;
  state: SaleState;
  allotted: number;
  committed: number;
  available: number;
  reserved: number;
  at_ms: number;
}

/** How a sale looks to people: by its state, its hours and what is left. */
export function lookOf(sale: Pick<Sale, "state" | "starts_at" | "ends_at" | "allotted" | "committed">, now = Date.now()): string {
  if (sale.state === "ended" || (sale.ends_at !== null && Date.parse(sale.ends_at) <= now)) return "ended";
  if (sale.state === "paused") return "paused";
  if (Date.parse(sale.starts_at) > now) return "not_started";
  return sale.committed >= sale.allotted ? "sold_out" : "open";
}

const one = (id: string) => ["sales", "one", id];
const path = (id: string) => ({ path: { sale_id: id } });
const changed = (sale: Sale) => {
  queries.setQueryData(one(sale.id), sale);
  return Promise.all([queries.invalidateQueries({ queryKey: ["sales", "list"] }), queries.invalidateQueries({ queryKey: ["overview"] })]);
};

export function salePages(filters: { state?: string; sku_id?: string }): Pages<Sale> {
  return (page) => ({
    queryKey: ["sales", "list", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/sales", { params: { query: { ...filters, ...page } as never } }));
      return { rows: found.sales, next: found.next_cursor };
    },
  });
}

export function useSale(id: string) {
  return useQuery({ queryKey: one(id), queryFn: () => take(api.GET("/v1/sales/{sale_id}", { params: path(id) })) });
}

/** A sale as an event says it is: nothing needs to be asked. */
export function heed(progress: Progress): void {
  const { sale_id, state, allotted, committed } = progress;
  queries.setQueryData<Sale>(one(sale_id), (sale) => sale && { ...sale, state, allotted, committed });
}

export function useFunnel(id: string) {
  return useQuery({ queryKey: ["sales", "funnel", id], queryFn: () => take(api.GET("/v1/sales/{sale_id}/funnel", { params: path(id) })), placeholderData: keepPreviousData });
}

export function useSeconds(id: string, lastS: number) {
  return useQuery({
    queryKey: ["sales", "seconds", id], staleTime: Infinity,
    queryFn: () => take(api.GET("/v1/sales/{sale_id}/seconds", { params: { ...path(id), query: { last_s: lastS } } })),
  });
}

export const funnelChanged = (id: string) => queries.invalidateQueries({ queryKey: ["sales", "funnel", id] });
export const saleChanged = (id: string) => queries.invalidateQueries({ queryKey: one(id) });

/** Opens a sale and then says where it is shown: null is everywhere. */
export function useCreateSale() {
  return useMutation({
    mutationFn: async ({ sale, channels, key }: { sale: NewSale; channels: string[] | null; key: { "Idempotency-Key": string } }) => {
      const made = await take(api.POST("/v1/sales", { params: { header: key }, body: sale }));
      if (channels !== null) await take(api.PUT("/v1/sales/{sale_id}/channels", { params: path(made.id), body: { channels } }));
      return made;
    },
    onSuccess: changed,
  });
}

export function useTurnSale() {
  return useMutation({
    mutationFn: ({ id, act }: { id: string; act: "pause" | "resume" | "end" }) => {
      const asked = { params: path(id), body: {} };
      if (act === "pause") return take(api.POST("/v1/sales/{sale_id}/pause", asked));
      if (act === "resume") return take(api.POST("/v1/sales/{sale_id}/resume", asked));
      return take(api.POST("/v1/sales/{sale_id}/end", asked));
    },
    onSuccess: changed,
  });
}

/** Exactly one of both. */
export function useChangeStock() {
  return useMutation({
    mutationFn: ({ id, add = null, withdraw = null }: { id: string; add?: number | null; withdraw?: number | null }) =>
      take(api.POST("/v1/sales/{sale_id}/stock", { params: { ...path(id), header: newKey() }, body: { add, withdraw } })),
    onSuccess: changed,
  });
}

export function useLimitSale() {
  return useMutation({
    mutationFn: ({ id, limit_per_shopper }: { id: string; limit_per_shopper: number }) =>
      take(api.POST("/v1/sales/{sale_id}/limit", { params: path(id), body: { limit_per_shopper } })),
    onSuccess: changed,
  });
}

/** How many wait to be told. */
export function useReminders(id: string) {
  return useQuery({
    queryKey: ["sales", "reminders", id],
    queryFn: () => take(api.GET("/v1/sales/{sale_id}/reminders", { params: path(id) })),
  });
}

export function useSaleChannels(id: string) {
  return useQuery({ queryKey: ["sales", "channels", id], queryFn: () => take(api.GET("/v1/sales/{sale_id}/channels", { params: path(id) })) });
}

export function useStoreChannels(isAllowed: boolean) {
  return useQuery({ queryKey: ["channels"], enabled: isAllowed, queryFn: async () => (await take(api.GET("/v1/channels"))).channels });
}

export function useSkuChoices(q: string, isAllowed: boolean) {
  return useQuery({
    queryKey: ["skus", "choices", q], enabled: isAllowed, placeholderData: keepPreviousData,
    queryFn: async () => (await take(api.GET("/v1/skus", { params: { query: { limit: 50, ...(q ? { q } : {}) } } }))).skus,
  });
}

export function useSkuStock(id: string | undefined) {
  return useQuery({
    queryKey: ["skus", "stock", id], enabled: id !== undefined, staleTime: 0,
    queryFn: () => take(api.GET("/v1/skus/{sku_id}", { params: { path: { sku_id: id ?? "" } } })),
  });
}
