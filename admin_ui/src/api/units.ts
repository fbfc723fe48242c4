import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, type components } from "./client";
import type { Pages } from "./query";

export type Unit = components["schemas"]["Unit"];
export type UnitState = Unit["state"];
export type UnitHistory = components["schemas"]["UnitHistory"];
export type FoundCode = components["schemas"]["FoundCode"];
export type Code = components["schemas"]["Code"];

export const UNIT_STATES: UnitState[] = ["available", "held", "sold", "locked", "void", "expired", "quarantined"];

export interface UnitFilters {
  sku_id: string;
  batch_id?: string;
  state?: UnitState;
}

export const unitPages =
  (filters: UnitFilters): Pages<Unit> =>
  (page) => ({
    queryKey: ["units", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/units", { params: { query: { ...filters, ...page } } }));
      return { rows: found.units, next: found.next_cursor };
    },
  });

export function useUnit(id: string) {
  return useQuery({
    queryKey: ["units", id],
    queryFn: () => take(api.GET("/v1/vault/units/{unit_id}", { params: { path: { unit_id: id } } })),
  });
}

function useChanged() {
  const client = useQueryClient();
  return () => Promise.all(["units", "skus"].map((noun) => client.invalidateQueries({ queryKey: [noun] })));
}

export type UnitAct = "lock" | "unlock" | "void";

export function useUnitAct() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ act, units, reason }: { act: UnitAct; units: number[]; reason: string }) =>
      take(api.POST(`/v1/vault/units/${act}`, { body: { units, reason } })),
    onSuccess,
  });
}

export function useReplaceUnit() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ unit, reason }: { unit: number; reason: string }) =>
      take(
        api.POST("/v1/vault/units/{unit_id}/replacement", { body: { reason }, params: { path: { unit_id: String(unit) }, header: newKey() } }),
      ),
    onSuccess,
  });
}

export function useFindCode() {
  return useMutation({ mutationFn: (code: string) => take(api.POST("/v1/vault/lookups", { body: { code } })) });
}

/** Never kept by the cache: whoever asks holds it, and lets go of it. */
export function revealUnit(unit: number, reason: string): Promise<Code> {
  return take(api.POST("/v1/vault/units/{unit_id}/reveal", { body: { reason }, params: { path: { unit_id: String(unit) } } }));
}
