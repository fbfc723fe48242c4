import { useMutation, useQuery } from "@tanstack/react-query";
import { api, take, type components } from "./client";
import { queries, type Pages } from "./query";
import { reloadSession } from "./session";

type Schemas = components["schemas"];
export type OpenSession = Schemas["Session"];

const changed = async () => {
  await queries.invalidateQueries({ queryKey: ["profile"] });
  await reloadSession();
};

export function useProfile() {
  return useQuery({ queryKey: ["profile"], queryFn: () => take(api.GET("/v1/profile")) });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (wish: Schemas["ChangedPassword"]) => take(api.POST("/v1/profile/password", { body: wish })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

export function useChangeMail() {
  return useMutation({ mutationFn: (wish: Schemas["ChangedMail"]) => take(api.POST("/v1/profile/mail", { body: wish })) });
}

export function useEnrolTotp() {
  return useMutation({ mutationFn: (password: string) => take(api.POST("/v1/profile/totp", { body: { password } })) });
}

export function useConfirmTotp() {
  return useMutation({ mutationFn: (code: string) => take(api.POST("/v1/profile/totp/confirm", { body: { code } })), onSuccess: changed });
}

export function useDisableTotp() {
  return useMutation({ mutationFn: (wish: Schemas["BothFactors"]) => take(api.POST("/v1/profile/totp/disable", { body: wish })), onSuccess: changed });
}

export const sessionPages: Pages<OpenSession> = (page) => ({
  queryKey: ["sessions", page],
  queryFn: async () => {
    const found = await take(api.GET("/v1/sessions", { params: { query: page } }));
    return { rows: found.sessions, next: found.next_cursor };
  },
});

export function useEndSession() {
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

export function useEndOtherSessions() {
  return useMutation({ mutationFn: () => take(api.DELETE("/v1/sessions")), onSuccess: () => queries.invalidateQueries({ queryKey: ["sessions"] }) });
}
