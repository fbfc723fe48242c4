import { useMutation, useQuery } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import { queries, type Pages } from "./query";

type Schemas = components["schemas"];
export type Endpoint = Schemas["WebhookEndpoint"];
export type Delivery = Schemas["WebhookDelivery"];
export type DeliveryState = "waiting" | "delivered" | "given_up" | "cancelled";
export const DELIVERY_STATES: DeliveryState[] = ["waiting", "delivered", "given_up", "cancelled"];

const changed = () => queries.invalidateQueries({ queryKey: ["webhooks"] });
const at = (id: string) => ({ params: { path: { endpoint_id: id } } });
const of = (id: string) => ({ params: { path: { delivery_id: id } } });

export const endpointPages: Pages<Endpoint> = () => ({
  queryKey: ["webhooks", "endpoints"],
  queryFn: async () => ({ rows: (await take(api.GET("/v1/webhook-endpoints"))).items, next: null }),
});

export function useEndpoint(id: string) {
  return useQuery({ queryKey: ["webhooks", "endpoint", id], queryFn: () => take(api.GET("/v1/webhook-endpoints/{endpoint_id}", at(id))) });
}

export function useEvents() {
  return useQuery({ queryKey: ["webhook-events"], queryFn: async () => (await take(api.GET("/v1/webhook-events"))).items, staleTime: Infinity });
}

export interface DeliveryFilters {
  type?: string;
  state?: string;
}

export const deliveryPages =
  (endpoint: string, filters: DeliveryFilters): Pages<Delivery> =>
  (page) => ({
    queryKey: ["webhooks", "deliveries", endpoint, filters, page],
    queryFn: async () => {
      const state = DELIVERY_STATES.find((each) => each === filters.state);
      const query = { ...page, endpoint_id: endpoint, ...(filters.type ? { type: filters.type } : {}), ...(state ? { state } : {}) };
      const found = await take(api.GET("/v1/webhook-deliveries", { params: { query } }));
      return { rows: found.items, next: found.next_cursor };
    },
  });

export function useDelivery(id: string | null) {
  return useQuery({
    queryKey: ["webhooks", "delivery", id],
    enabled: id !== null,
    queryFn: () => take(api.GET("/v1/webhook-deliveries/{delivery_id}", of(id ?? ""))),
  });
}

export function useCreateEndpoint() {
  return useMutation({ mutationFn: (wish: Schemas["NewWebhookEndpoint"]) => take(api.POST("/v1/webhook-endpoints", { body: wish })), onSuccess: changed });
}

export function useChangeEndpoint() {
  return useMutation({
    mutationFn: ({ id, ...wish }: Schemas["WebhookEndpointChange"] & { id: string }) =>
      take(api.PATCH("/v1/webhook-endpoints/{endpoint_id}", { ...at(id), body: wish })),
    onSuccess: changed,
  });
}

export function useDeleteEndpoint() {
  return useMutation({ mutationFn: (id: string) => take(api.DELETE("/v1/webhook-endpoints/{endpoint_id}", at(id))), onSuccess: changed });
}

export function useRotateSecret() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/webhook-endpoints/{endpoint_id}/rotate-secret", { ...at(id), body: {} })), onSuccess: changed });
}

export function useTestEndpoint() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/webhook-endpoints/{endpoint_id}/test", { ...at(id), body: {} })), onSuccess: changed });
}

export function useRedeliverFailed() {
  return useMutation({
    mutationFn: ({ id, since }: { id: string; since: string }) => take(api.POST("/v1/webhook-endpoints/{endpoint_id}/redeliver", { ...at(id), body: { since } })),
    onSuccess: changed,
  });
}

export function useRedeliver() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/webhook-deliveries/{delivery_id}/redeliver", { ...of(id), body: {} })), onSuccess: changed });
}

export function useCancelDelivery() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/webhook-deliveries/{delivery_id}/cancel", { ...of(id), body: {} })), onSuccess: changed });
}
