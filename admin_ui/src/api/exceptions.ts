import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

export type Case = components["schemas"]["Case"];

export interface CaseQuery {
  state: "open" | "resolved";
  kind?: string;
}

export function casePages(query: CaseQuery): Pages<Case> {
  return (page) => ({
    queryKey: ["exceptions", "list", query, page],
    queryFn: async (): Promise<PageOf<Case>> => {
      const answer = await take(api.GET("/v1/exceptions", { params: { query: { ...query, ...page } } }));
      return { rows: answer.exceptions, next: answer.next_cursor };
    },
  });
}

export function useRetryCase() {
  return useAct((id: string) => take(api.POST("/v1/exceptions/{exception_id}/retry", { ...at(id), body: {} })));
}

export function useResolveCase() {
  return useAct(({ id, reason }: { id: string; reason: string }) =>
    take(api.POST("/v1/exceptions/{exception_id}/resolve", { ...at(id), body: { reason } })),
  );
}

export function useWithdrawCase() {
  return useAct((id: string) => take(api.POST("/v1/exceptions/{exception_id}/withdraw", { ...at(id), body: {} })));
}

function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ["exceptions", "refunds", "orders"].includes(String(queryKey[0])) }),
  });
}

function at(id: string) {
  return { params: { path: { exception_id: id } } };
}
