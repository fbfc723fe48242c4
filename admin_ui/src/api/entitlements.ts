import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Entitlement = Schemas["EntitlementView"];
export type LicenceOfOrder = Schemas["LicenceOfOrder"];

export interface EntitlementQuery {
  type?: string;
  state?: "active" | "expired" | "revoked";
  shopper_id?: string;
  order_id?: string;
}

export function entitlementPages(query: EntitlementQuery): Pages<Entitlement> {
  return (page) => ({
    queryKey: ["entitlements", "list", query, page],
    queryFn: async (): Promise<PageOf<Entitlement>> => {
      const answer = await take(api.GET("/v1/entitlements", { params: { query: { ...query, ...page } } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

export function useEntitlements(query: EntitlementQuery) {
  return useQuery(entitlementPages(query)({ limit: 20 }));
}

export function useEntitlement(id: string | null) {
  return useQuery({
    queryKey: ["entitlements", "one", id],
    queryFn: () => take(api.GET("/v1/entitlements/{entitlement_id}", at(id ?? ""))),
    enabled: id !== null,
  });
}

/** Licences of an order, those too that nobody has activated yet. */
export function useLicences(orderId: string | null) {
  return useQuery({
    queryKey: ["entitlements", "licences", orderId],
    queryFn: async () => (await take(api.POST("/v1/types/licence/inspect", { body: { order_id: orderId ?? "" } }))).licences,
    enabled: orderId !== null,
    retry: false,
  });
}

export function useProlong() {
  return useAct(({ id, days, reason }: { id: string; days: number; reason: string }) =>
    take(api.POST("/v1/entitlements/{entitlement_id}/prolong", { ...at(id), body: { days, reason } })),
  );
}

export function useRevoke() {
  return useAct(({ id, reason }: { id: string; reason: string }) =>
    take(api.POST("/v1/entitlements/{entitlement_id}/revoke", { ...at(id), body: { reason } })),
  );
}

export function useSuspendLicence() {
  return useAct(({ unit, on }: { unit: number; on: boolean }) =>
    take(on ? api.POST("/v1/types/licence/suspend", { body: { unit } }) : api.POST("/v1/types/licence/reinstate", { body: { unit } })),
  );
}

export function useFreeDevice() {
  return useAct(({ unit, device }: { unit: number; device: string }) =>
    take(api.POST("/v1/types/licence/free", { body: { unit, device } })),
  );
}

function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries({ queryKey: ["entitlements"] }) });
}

function at(id: string) {
  return { params: { path: { entitlement_id: id } } };
}
