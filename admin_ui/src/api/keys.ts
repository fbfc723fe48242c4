import { useMutation } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import { queries, type Pages } from "./query";

type Schemas = components["schemas"];
export type ApiKey = Schemas["ApiKey"];

const changed = () => queries.invalidateQueries({ queryKey: ["keys"] });

export const keyPages: Pages<ApiKey> = (page) => ({
  queryKey: ["keys", page],
  queryFn: async () => {
    const found = await take(api.GET("/v1/api-keys", { params: { query: page } }));
    return { rows: found.api_keys, next: found.next_cursor };
  },
});

/** What a key is good for at this moment. */
export function keyState(key: ApiKey, now = Date.now()): "active" | "revoked" | "expired" | "rotating" {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && Date.parse(key.expires_at) <= now) return "expired";
  return key.old_until !== null && Date.parse(key.old_until) > now ? "rotating" : "active";
}

export function useCreateKey() {
  return useMutation({ mutationFn: (wish: Schemas["NewApiKey"]) => take(api.POST("/v1/api-keys", { body: wish })), onSuccess: changed });
}

export function useRotateKey() {
  return useMutation({
    mutationFn: ({ id, overlap_s }: { id: string; overlap_s: number }) =>
      take(api.POST("/v1/api-keys/{key_id}/rotate", { params: { path: { key_id: id } }, body: { overlap_s } })),
    onSuccess: changed,
  });
}

export function useRevokeKey() {
  return useMutation({ mutationFn: (id: string) => take(api.DELETE("/v1/api-keys/{key_id}", { params: { path: { key_id: id } } })), onSuccess: changed });
}
