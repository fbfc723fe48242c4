import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, raw, take, takeTagged, type components } from "./client";
import type { Pages } from "./query";
import { mediaTypeOf } from "./skus";

export type PriceList = components["schemas"]["PriceList"];
export type NewPriceList = components["schemas"]["NewPriceList"];
export type PriceListChange = components["schemas"]["PriceListChange"];
export type ListedPrice = components["schemas"]["ListedPrice"];
export type NewPrice = components["schemas"]["NewPrice"];
export type PriceVersion = components["schemas"]["PriceVersion"];
export type BuyerGroup = components["schemas"]["BuyerGroup"];
export type GroupMember = components["schemas"]["GroupMember"];
export type PriceReport = components["schemas"]["PriceReport"];

export function usePriceLists() {
  return useQuery({ queryKey: ["price-lists"], queryFn: () => take(api.GET("/v1/price-lists")).then((found) => found.price_lists) });
}

export function usePriceList(id: string) {
  return useQuery({
    queryKey: ["price-lists", id],
    queryFn: () => takeTagged(api.GET("/v1/price-lists/{list_id}", { params: { path: { list_id: id } } })),
  });
}

function useChanged(...nouns: string[]) {
  const client = useQueryClient();
  return () => Promise.all(nouns.map((noun) => client.invalidateQueries({ queryKey: [noun] })));
}

export function useCreatePriceList() {
  const onSuccess = useChanged("price-lists");
  return useMutation({
    mutationFn: (body: NewPriceList) => take(api.POST("/v1/price-lists", { body, params: { header: newKey() } })),
    onSuccess,
  });
}

export function useChangePriceList(id: string) {
  const onSuccess = useChanged("price-lists");
  return useMutation({
    mutationFn: ({ etag, body }: { etag: string; body: PriceListChange }) =>
      take(api.PATCH("/v1/price-lists/{list_id}", { body, params: { path: { list_id: id }, header: { "If-Match": etag } } })),
    onSuccess,
  });
}

export function useRemovePriceList() {
  const onSuccess = useChanged("price-lists");
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/price-lists/{list_id}", { params: { path: { list_id: id } } })),
    onSuccess,
  });
}

export const pricePages =
  (id: string): Pages<ListedPrice> =>
  (page) => ({
    queryKey: ["prices", id, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/price-lists/{list_id}/entries", { params: { path: { list_id: id }, query: page } }));
      return { rows: found.entries, next: found.next_cursor };
    },
  });

export function usePutPrices(id: string) {
  const onSuccess = useChanged("prices", "price-history");
  return useMutation({
    mutationFn: (entries: NewPrice[]) =>
      take(api.PUT("/v1/price-lists/{list_id}/entries", { body: { entries }, params: { path: { list_id: id } } })),
    onSuccess,
  });
}

export const priceHistoryPages =
  (sku: string): Pages<PriceVersion> =>
  (page) => ({
    queryKey: ["price-history", sku, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/skus/{sku_id}/prices", { params: { path: { sku_id: sku }, query: page } }));
      return { rows: found.prices, next: found.next_cursor };
    },
  });

export async function sendPrices(what: "previews" | "imports", file: File): Promise<PriceReport> {
  const headers = { "Content-Type": mediaTypeOf(file), "X-Filename": encodeURIComponent(file.name) };
  return (await (await raw("POST", `/v1/price-lists/${what}`, file, headers)).json()) as PriceReport;
}

export function useBuyerGroups(enabled = true) {
  return useQuery({ queryKey: ["groups"], enabled, queryFn: () => take(api.GET("/v1/buyer-groups")).then((found) => found.buyer_groups) });
}

export function useCreateGroup() {
  const onSuccess = useChanged("groups");
  return useMutation({
    mutationFn: (body: components["schemas"]["NewBuyerGroup"]) => take(api.POST("/v1/buyer-groups", { body, params: { header: newKey() } })),
    onSuccess,
  });
}

export function useChangeGroup() {
  const onSuccess = useChanged("groups");
  return useMutation({
    mutationFn: async ({ id, ...body }: { id: string } & components["schemas"]["BuyerGroupChange"]) => {
      const params = { path: { group_id: id } };
      const { etag } = await takeTagged(api.GET("/v1/buyer-groups/{group_id}", { params }));
      return take(api.PATCH("/v1/buyer-groups/{group_id}", { body, params: { ...params, header: { "If-Match": etag } } }));
    },
    onSuccess,
  });
}

export function useRemoveGroup() {
  const onSuccess = useChanged("groups");
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/buyer-groups/{group_id}", { params: { path: { group_id: id } } })),
    onSuccess,
  });
}

export const memberPages =
  (id: string): Pages<GroupMember> =>
  (page) => ({
    queryKey: ["members", id, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/buyer-groups/{group_id}/members", { params: { path: { group_id: id }, query: page } }));
      return { rows: found.members, next: found.next_cursor };
    },
  });

export function useMembership(id: string) {
  const onSuccess = useChanged("members");
  return useMutation({
    mutationFn: ({ shopper_id, isIn }: { shopper_id: string; isIn: boolean }): Promise<unknown> => {
      const params = { path: { group_id: id, shopper_id } };
      return isIn
        ? take(api.PUT("/v1/buyer-groups/{group_id}/members/{shopper_id}", { params }))
        : take(api.DELETE("/v1/buyer-groups/{group_id}/members/{shopper_id}", { params }));
    },
    onSuccess,
  });
}
