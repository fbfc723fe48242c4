import { useMutation, useQuery } from "@tanstack/react-query";
import { api, newKey, send, take, takeTagged, type components, type Tagged } from "./client";
import { queries } from "./query";
import { reloadSession } from "./session";

type Schemas = components["schemas"];
export type Store = Schemas["Store"];
export type StoreChange = Schemas["StoreChange"];
export type Domain = Schemas["Domain"];
export type Channel = Schemas["Channel"];
export type Rules = Schemas["Rules"];
export type ImageKind = "logo" | "banner" | "favicon";

export function useStore() {
  return useQuery({ queryKey: ["store"], queryFn: () => takeTagged(api.GET("/v1/store")) });
}

export function useChangeStore() {
  return useMutation({
    mutationFn: ({ etag, changes }: { etag: string; changes: StoreChange }): Promise<Tagged<Store>> =>
      takeTagged(api.PATCH("/v1/store", { params: { header: { "If-Match": etag } }, body: changes })),
    onSuccess: async (answer) => {
      queries.setQueryData(["store"], answer);
      await reloadSession();
    },
  });
}

export function usePutImage() {
  return useMutation({
    mutationFn: ({ kind, file }: { kind: ImageKind; file: File }) => send("PUT", `/v1/store/images/${kind}`, file, { "Content-Type": file.type }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["store"] }),
  });
}

export function useDeleteImage() {
  return useMutation({
    mutationFn: (kind: ImageKind) => take(api.DELETE("/v1/store/images/{kind}", { params: { path: { kind } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["store"] }),
  });
}

export function useAddress() {
  return useQuery({ queryKey: ["address"], queryFn: () => take(api.GET("/v1/store/address")) });
}

const hosts = async () => {
  await Promise.all([queries.invalidateQueries({ queryKey: ["address"] }), queries.invalidateQueries({ queryKey: ["domains"] })]);
  await reloadSession();
};

export function useMoveStore() {
  return useMutation({ mutationFn: (slug: string) => take(api.PUT("/v1/store/address", { body: { slug } })), onSuccess: hosts });
}

export function usePreferHost() {
  return useMutation({ mutationFn: (host: string) => take(api.PUT("/v1/store/address/primary", { body: { host } })), onSuccess: hosts });
}

export function useDomains() {
  return useQuery({
    queryKey: ["domains"],
    queryFn: async () => (await take(api.GET("/v1/domains"))).domains,
    // While a proof is looked for, its state changes without anybody's doing.
    refetchInterval: (query) => (query.state.data?.some((domain) => domain.state === "pending") ? 5000 : false),
  });
}

export function useAddDomain() {
  return useMutation({ mutationFn: (domain: string) => take(api.POST("/v1/domains", { params: { header: newKey() }, body: { domain } })), onSuccess: hosts });
}

export function useVerifyDomain() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/domains/{domain_id}/verify", { params: { path: { domain_id: id } }, body: {} })), onSuccess: hosts });
}

export function useRemoveDomain() {
  return useMutation({ mutationFn: (id: string) => take(api.DELETE("/v1/domains/{domain_id}", { params: { path: { domain_id: id } } })), onSuccess: hosts });
}

export function useChannels() {
  return useQuery({ queryKey: ["channels"], queryFn: async () => (await take(api.GET("/v1/channels"))).channels });
}

export function usePutChannel() {
  return useMutation({
    mutationFn: ({ code, ...wish }: { code: string; name: string; is_enabled: boolean }) => take(api.PUT("/v1/channels/{code}", { params: { path: { code } }, body: wish })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["channels"] }),
  });
}

export function useRetention() {
  return useQuery({ queryKey: ["retention"], queryFn: () => take(api.GET("/v1/retention")) });
}

export function usePutRetention() {
  return useMutation({
    mutationFn: (rules: Rules) => take(api.PUT("/v1/retention", { body: rules })),
    onSuccess: (rules) => queries.setQueryData(["retention"], rules),
  });
}

/** Null while nobody asked to leave. */
export function useLeaving() {
  return useQuery({
    queryKey: ["leaving"],
    queryFn: () => take(api.GET("/v1/off-boarding")).catch((error: { status?: number }) => (error.status === 404 ? null : Promise.reject(error))),
  });
}

export function useLeave() {
  return useMutation({ mutationFn: (password: string) => take(api.POST("/v1/off-boarding", { body: { password } })), onSuccess: () => queries.invalidateQueries({ queryKey: ["leaving"] }) });
}

export function useStay() {
  return useMutation({ mutationFn: () => take(api.DELETE("/v1/off-boarding")), onSuccess: () => queries.invalidateQueries({ queryKey: ["leaving"] }) });
}
