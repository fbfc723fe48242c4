import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Order = Schemas["OrderView"];
export type OrderLine = Schemas["OrderLine"];
export type Standing = Schemas["OrderStanding"];
export type StandingLine = Schemas["StandingLine"];
export type StandingUnit = Schemas["StandingUnit"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type Note = Schemas["Note"];
export type Tag = Schemas["Tag"];
export type Snapshot = Schemas["Snapshot"];
export type OrderResult = Schemas["OrderResult"];
export type CancelReason = NonNullable<Schemas["Cancellation"]["reason"]>;
export type OrderState =
  | "awaiting" | "closing" | "expired" | "cancelled" | "paid" | "delivered" | "refunding" | "refunded" | "refused";

/** What the API's list of orders takes. */
export interface OrderQuery {
  q?: string;
  state?: OrderState;
  channel?: string;
  sale_id?: string;
  tag_id?: string;
  shopper_id?: string;
  since?: string;
  until?: string;
}

const ALL = "orders";

export function orderPages(query: OrderQuery): Pages<Order> {
  return (page) => ({
    queryKey: [ALL, "list", query, page],
    queryFn: async (): Promise<PageOf<Order>> => {
      const answer = await take(api.GET("/v1/orders", { params: { query: { ...query, ...page } } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

export function useOrder(id: string) {
  return useQuery({ queryKey: [ALL, "one", id], queryFn: () => take(api.GET("/v1/orders/{order_id}", at(id))) });
}

export function useStanding(id: string) {
  return useQuery({
    queryKey: [ALL, "standing", id],
    queryFn: () => take(api.GET("/v1/orders/{order_id}/standing", at(id))),
  });
}

export function useTimeline(id: string) {
  return useInfiniteQuery({
    queryKey: [ALL, "timeline", id],
    queryFn: ({ pageParam }) =>
      take(
        api.GET("/v1/orders/{order_id}/timeline", {
          params: { path: { order_id: id }, query: { limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
}

export function useNotes(id: string) {
  return useQuery({
    queryKey: [ALL, "notes", id],
    queryFn: () => take(api.GET("/v1/orders/{order_id}/notes", { params: { path: { order_id: id }, query: { limit: 100 } } })),
  });
}

export function useSnapshot(id: string, wanted: boolean) {
  return useQuery({
    queryKey: [ALL, "snapshot", id],
    queryFn: () => take(api.GET("/v1/orders/{order_id}/snapshot", at(id))),
    enabled: wanted,
    staleTime: Infinity,
  });
}

export function useTags() {
  return useQuery({ queryKey: ["order-tags"], queryFn: async () => (await take(api.GET("/v1/order-tags"))).tags, staleTime: 60_000 });
}

/** Each act on an order; whatever it changed is asked anew. */
function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => client.invalidateQueries({ predicate: ({ queryKey }) => TOUCHED.has(String(queryKey[0])) }),
  });
}

const TOUCHED = new Set([ALL, "order-tags", "fulfilments", "exceptions", "payments", "refunds", "entitlements", "shoppers"]);

export function useRefund() {
  return useAct(({ id, units, key }: { id: string; units: number[] | null; key: { "Idempotency-Key": string } }) =>
    take(
      api.POST("/v1/orders/{order_id}/refund", {
        params: { path: { order_id: id }, header: key },
        body: { units, sale_ids: null },
      }),
    ),
  );
}

export function useCancel() {
  return useAct(({ id, reason }: { id: string; reason: CancelReason | null }) =>
    take(api.POST("/v1/orders/{order_id}/cancel", { ...at(id), body: { reason } })),
  );
}

export function useResend() {
  return useAct(({ id, mail }: { id: string; mail: string | null }) =>
    take(api.POST("/v1/orders/{order_id}/resend", { ...at(id), body: { mail } })),
  );
}

export function useAddNote() {
  return useAct(({ id, words }: { id: string; words: string }) =>
    take(api.POST("/v1/orders/{order_id}/notes", { params: { path: { order_id: id }, header: newKey() }, body: { words } })),
  );
}

export function usePutTags() {
  return useAct(({ id, tag_ids }: { id: string; tag_ids: string[] }) =>
    take(api.PUT("/v1/orders/{order_id}/tags", { ...at(id), body: { tag_ids } })),
  );
}

export function useCreateTag() {
  return useAct((name: string) => take(api.POST("/v1/order-tags", { params: { header: newKey() }, body: { name } })));
}

export function useRenameTag() {
  return useAct(({ id, name }: { id: string; name: string }) =>
    take(api.PUT("/v1/order-tags/{tag_id}", { params: { path: { tag_id: id } }, body: { name } })),
  );
}

export function useDeleteTag() {
  return useAct((id: string) => take(api.DELETE("/v1/order-tags/{tag_id}", { params: { path: { tag_id: id } } })));
}

export interface ManyWish {
  act: "tag" | "untag" | "cancel" | "resend";
  order_ids: string[];
  tag_id?: string;
}

export function useActOnMany() {
  return useAct(async (wish: ManyWish) => (await take(api.POST("/v1/orders/acts", { body: { tag_id: null, reason: null, ...wish } }))).results);
}

export function useCodes() {
  return useAct(async (id: string) => (await take(api.GET("/v1/orders/{order_id}/codes", at(id)))).codes);
}

function at(id: string) {
  return { params: { path: { order_id: id } } };
}
