import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Receipt = Schemas["Receipt"];
export type Refund = Schemas["RefundView"];
export type Account = Schemas["AccountView"];
export type Credentials = Schemas["NewCredentials"];
export type Disposition = "applied" | "late" | "double" | "mismatch";
export type RefundState = "requested" | "succeeded" | "failed";

export function receiptPages(disposition?: Disposition): Pages<Receipt> {
  return (page) => ({
    queryKey: ["payments", "list", disposition, page],
    queryFn: async (): Promise<PageOf<Receipt>> => {
      const query = { ...page, ...(disposition === undefined ? {} : { disposition }) };
      const answer = await take(api.GET("/v1/payments", { params: { query } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

export function refundPages(state?: RefundState): Pages<Refund> {
  return (page) => ({
    queryKey: ["refunds", "list", state, page],
    queryFn: async (): Promise<PageOf<Refund>> => {
      const answer = await take(api.GET("/v1/refunds", { params: { query: { ...page, ...(state === undefined ? {} : { state }) } } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

export function useAccounts() {
  return useQuery({ queryKey: ["provider-accounts"], queryFn: async () => (await take(api.GET("/v1/provider-accounts"))).accounts });
}

export function useConnect() {
  return useAct((credentials: Credentials) =>
    take(api.POST("/v1/provider-accounts", { params: { header: newKey() }, body: { provider: "sandbox", ...credentials } })),
  );
}

export function useOpenTestAccount() {
  return useAct(() => take(api.POST("/v1/provider-accounts/test", { body: {} })));
}

export function useRotate() {
  return useAct(({ id, credentials }: { id: string; credentials: Credentials }) =>
    take(api.PUT("/v1/provider-accounts/{account_id}/credentials", { ...at(id), body: credentials })),
  );
}

export function useSwitchAccount() {
  return useAct(({ id, active }: { id: string; active: boolean }) =>
    take(api.POST("/v1/provider-accounts/{account_id}/state", { ...at(id), body: { active } })),
  );
}

function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries({ queryKey: ["provider-accounts"] }) });
}

function at(id: string) {
  return { params: { path: { account_id: id } } };
}
