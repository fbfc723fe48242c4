import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, takeTagged, type components } from "./client";
import type { PageOf, Pages } from "./query";

type Schemas = components["schemas"];
export type Program = Schemas["PointsProgram"];
export type NewProgram = Schemas["NewPointsProgram"];
export type NewLevel = Schemas["NewLevel"];
export type Entry = Schemas["PointsEntry"];

export function useProgram() {
  return useQuery({ queryKey: ["points", "program"], queryFn: () => takeTagged(api.GET("/v1/points/program")) });
}

export function usePutProgram() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ etag, program }: { etag: string; program: NewProgram }) =>
      takeTagged(api.PUT("/v1/points/program", { params: { header: { "If-Match": etag } }, body: program })),
    onSuccess: (answer) => client.setQueryData(["points", "program"], answer),
  });
}

export function usePoints(shopperId: string) {
  return useQuery({
    queryKey: ["points", shopperId],
    queryFn: () => take(api.GET("/v1/shoppers/{shopper_id}/points", { params: { path: { shopper_id: shopperId } } })),
  });
}

export const entryPages =
  (shopperId: string): Pages<Entry> =>
  (page) => ({
    queryKey: ["points", shopperId, "entries", page],
    queryFn: async (): Promise<PageOf<Entry>> => {
      const found = await take(api.GET("/v1/shoppers/{shopper_id}/points/entries", { params: { path: { shopper_id: shopperId }, query: page } }));
      return { rows: found.entries, next: found.next_cursor };
    },
  });

export function useAdjustPoints(shopperId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Adjustment"]) =>
      take(api.POST("/v1/shoppers/{shopper_id}/points/entries", { params: { path: { shopper_id: shopperId }, header: newKey() }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["points", shopperId] }),
  });
}
