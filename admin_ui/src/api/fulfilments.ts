import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Waiting = Schemas["WaitingFulfilment"];
export type Task = Schemas["FulfilmentTask"];
export type Told = Schemas["Told"];

export function fulfilmentPages(): Pages<Waiting> {
  return (page) => ({
    queryKey: ["fulfilments", "list", page],
    queryFn: async (): Promise<PageOf<Waiting>> => {
      const answer = await take(api.GET("/v1/fulfilments", { params: { query: page } }));
      return { rows: answer.items, next: answer.next_cursor };
    },
  });
}

/** What is to be done, with what the shopper said. The API puts each look on record, so it is asked once while the page shows it. */
export function useTask(id: string, wanted: boolean) {
  return useQuery({
    queryKey: ["fulfilments", "task", id],
    queryFn: () => take(api.GET("/v1/fulfilments/{fulfilment_id}", at(id))),
    enabled: wanted,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

function useAct<Wish, Answer>(act: (wish: Wish) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[1] !== "task" && ["fulfilments", "orders", "exceptions"].includes(String(queryKey[0])),
      }),
  });
}

export function useClaim() {
  return useAct((id: string) => take(api.POST("/v1/types/topup/claim", { body: { fulfilment_id: id } })));
}

export function useSendBack() {
  return useAct(({ id, reason }: { id: string; reason: string }) =>
    take(api.POST("/v1/types/topup/send_back", { body: { fulfilment_id: id, reason } })),
  );
}

export function useComplete() {
  return useAct(({ id, contents }: { id: string; contents: Told[] }) =>
    take(api.POST("/v1/fulfilments/{fulfilment_id}/complete", { ...at(id), body: { contents } })),
  );
}

export function useFail() {
  return useAct(({ id, problem }: { id: string; problem: string }) =>
    take(api.POST("/v1/fulfilments/{fulfilment_id}/fail", { ...at(id), body: { problem } })),
  );
}

function at(id: string) {
  return { params: { path: { fulfilment_id: id } } };
}
