import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Shopper = Schemas["ShopperView"];
export type DataRequest = Schemas["DataRequestView"];
export type BuyerGroup = Schemas["BuyerGroup"];

export function shopperPages(q: string): Pages<Shopper> {
  return (page) => ({
    queryKey: ["shoppers", "list", q, page],
    queryFn: async (): Promise<PageOf<Shopper>> => {
      const answer = await take(api.GET("/v1/shoppers", { params: { query: { ...page, ...(q === "" ? {} : { q }) } } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

export function useShopper(id: string) {
  return useQuery({ queryKey: ["shoppers", "one", id], queryFn: () => take(api.GET("/v1/shoppers/{shopper_id}", at(id))) });
}

/** Exports and erasures of a shopper, newest first, among the store's last hundred. */
export function useDataRequests(shopperId: string) {
  return useQuery({
    queryKey: ["data-requests"],
    queryFn: async () => (await take(api.GET("/v1/data-requests", { params: { query: { limit: 100 } } }))).items,
    select: (all) => all.filter((each) => each.shopper_id === shopperId),
    refetchInterval: (query) => (query.state.data?.some((each) => each.state === "running") ? 2_000 : false),
  });
}

export function useExportShopper() {
  return useAct((id: string) =>
    take(api.POST("/v1/shoppers/{shopper_id}/exports", { params: { path: { shopper_id: id }, header: newKey() }, body: {} })),
  );
}

export function useEraseShopper() {
  return useAct((id: string) =>
    take(api.POST("/v1/shoppers/{shopper_id}/erasure", { params: { path: { shopper_id: id }, header: newKey() }, body: {} })),
  );
}

export function useBuyerGroups(wanted: boolean) {
  return useQuery({
    queryKey: ["buyer-groups"],
    queryFn: async () => (await take(api.GET("/v1/buyer-groups"))).buyer_groups,
    enabled: wanted,
    staleTime: 60_000,
  });
}

export function useJoinGroup() {
  return useAct(({ group, shopper }: { group: string; shopper: string }) =>
    take(api.PUT("/v1/buyer-groups/{group_id}/members/{shopper_id}", { params: { path: { group_id: group, shopper_id: shopper } } })),
  );
}

export function useLeaveGroup() {
  return useAct(({ group, shopper }: { group: string; shopper: string }) =>
    take(api.DELETE("/v1/buyer-groups/{group_id}/members/{shopper_id}", { params: { path: { group_id: group, shopper_id: shopper } } })),
  );
}

function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ["shoppers", "data-requests"].includes(String(queryKey[0])) }),
  });
}

function at(id: string) {
  return { params: { path: { shopper_id: id } } };
}
