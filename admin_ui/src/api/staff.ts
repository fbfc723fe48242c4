import { useMutation, useQuery } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import { queries, type Pages } from "./query";

type Schemas = components["schemas"];
export type Person = Schemas["Person"];
export type Role = Schemas["Role"];
export type Invitation = Schemas["Invitation"];

const changed = () => Promise.all([queries.invalidateQueries({ queryKey: ["staff"] }), queries.invalidateQueries({ queryKey: ["invitations"] })]);

export const staffPages: Pages<Person> = (page) => ({
  queryKey: ["staff", page],
  queryFn: async () => {
    const found = await take(api.GET("/v1/staff", { params: { query: page } }));
    return { rows: found.staff, next: found.next_cursor };
  },
});

export function useRoles() {
  return useQuery({ queryKey: ["roles"], queryFn: async () => (await take(api.GET("/v1/roles"))).roles });
}

/** All at once: of invitations there is a most. */
export const invitationPages: Pages<Invitation> = () => ({
  queryKey: ["invitations"],
  queryFn: async () => ({ rows: (await take(api.GET("/v1/invitations"))).invitations, next: null }),
});

export const rolePages: Pages<Role> = () => ({
  queryKey: ["roles", "rows"],
  queryFn: async () => ({ rows: (await take(api.GET("/v1/roles"))).roles, next: null }),
});

export function useInvite() {
  return useMutation({
    mutationFn: (wish: Schemas["NewInvitation"]) => take(api.POST("/v1/invitations", { params: { header: newKey() }, body: wish })),
    onSuccess: changed,
  });
}

export function useResend() {
  return useMutation({
    mutationFn: (id: string) => take(api.POST("/v1/invitations/{invitation_id}/resend", { params: { path: { invitation_id: id } }, body: {} })),
    onSuccess: changed,
  });
}

export function useRevokeInvitation() {
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/invitations/{invitation_id}", { params: { path: { invitation_id: id } } })),
    onSuccess: changed,
  });
}

export function useChangeRoleOf() {
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: string }) => take(api.PATCH("/v1/staff/{user_id}", { params: { path: { user_id: id } }, body: { role } })),
    onSuccess: changed,
  });
}

export function useRemoveStaff() {
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/staff/{user_id}", { params: { path: { user_id: id } } })),
    onSuccess: changed,
  });
}

export function useSaveRole() {
  return useMutation({
    mutationFn: ({ id, ...wish }: Schemas["NewRole"] & { id?: string }) =>
      id === undefined
        ? take(api.POST("/v1/roles", { params: { header: newKey() }, body: wish }))
        : take(api.PUT("/v1/roles/{role_id}", { params: { path: { role_id: id } }, body: wish })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["roles"] }),
  });
}

export function useDeleteRole() {
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/roles/{role_id}", { params: { path: { role_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["roles"] }),
  });
}
