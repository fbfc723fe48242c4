import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, raw, take, takeTagged, type components } from "./client";
import type { PageOf, Pages } from "./query";

export type Sku = components["schemas"]["ListedSku"];
type Schemas = components["schemas"];
/** What may be left out has a default, which the generated types take for given; what a type is told is of that type. */
type Loose<Body, Needed extends keyof Body> = Pick<Body, Needed> & Partial<Omit<Body, Needed | "config">> & { config?: Record<string, unknown> };
export type NewSku = Loose<Schemas["NewSku"], "product_id" | "name" | "price_minor">;
export type SkuChange = Omit<Schemas["SkuChange"], "config"> & { config?: Record<string, unknown> };
export type NewUnits = Omit<Partial<Schemas["NewUnits"]>, "picks" | "span"> & {
  quantity: number;
  picks?: (Partial<Schemas["NewPick"]> & { pick: string })[];
  span?: Partial<Schemas["NewSpan"]> & { first: string; last: string };
};
export type PickChange = Partial<Schemas["PickChange"]> & { pick: string; is_on: boolean };
export type SkuRow = components["schemas"]["SkuRow"];
export type SkuWithStock = components["schemas"]["SkuWithStock"];
export type Stock = components["schemas"]["Stock"];
export type CatalogReport = components["schemas"]["CatalogReport"];
export type PickView = components["schemas"]["PickView"];

export interface SkuFilters {
  q?: string;
  product_id?: string;
}

export const ROWS_MAX = 200; // of one change

export async function askSkus(query: SkuFilters & { ids?: string; limit?: number; cursor?: string }): Promise<PageOf<Sku>> {
  const found = await take(api.GET("/v1/skus", { params: { query } }));
  return { rows: found.skus, next: found.next_cursor };
}

export const skuPages =
  (filters: SkuFilters): Pages<Sku> =>
  (page) => ({ queryKey: ["skus", filters, page], queryFn: () => askSkus({ ...filters, ...page }) });

/** With its stock by state, which reads each of its units. */
export function useSku(id: string | undefined) {
  return useQuery({
    queryKey: ["skus", id],
    enabled: id !== undefined,
    queryFn: () => takeTagged(api.GET("/v1/skus/{sku_id}", { params: { path: { sku_id: id ?? "" } } })),
  });
}

let waiting: Map<string, ((sku: Sku | undefined) => void)[]> | null = null;

/** One SKU for its name: those that are asked for in the same moment are asked for together. */
function named(id: string): Promise<Sku | null> {
  return new Promise((resolve, reject) => {
    if (waiting === null) {
      const asked = (waiting = new Map());
      setTimeout(() => {
        waiting = null;
        const ids = [...asked.keys()];
        for (let at = 0; at < ids.length; at += 100) {
          const some = ids.slice(at, at + 100);
          askSkus({ ids: some.join(","), limit: 100 })
            .then(({ rows }) => {
              const found = new Map(rows.map((sku) => [sku.id, sku]));
              for (const each of some) for (const tell of asked.get(each) ?? []) tell(found.get(each));
            })
            .catch(reject);
        }
      }, 5);
    }
    const tell = (sku: Sku | undefined) => resolve(sku ?? null);
    waiting.set(id, [...(waiting.get(id) ?? []), tell]);
  });
}

export function useSkuNamed(id: string | undefined) {
  return useQuery({ queryKey: ["sku-names", id], enabled: id !== undefined, queryFn: () => named(id ?? ""), staleTime: 300_000 });
}

function useChanged() {
  const client = useQueryClient();
  return () =>
    Promise.all(["skus", "sku-names", "products"].map((noun) => client.invalidateQueries({ queryKey: [noun] })));
}

export function useCreateSku() {
  const onSuccess = useChanged();
  return useMutation({ mutationFn: (body: NewSku) => take(api.POST("/v1/skus", { body: body as Schemas["NewSku"], params: { header: newKey() } })), onSuccess });
}

export function useChangeSku(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ etag, body }: { etag: string; body: SkuChange }) =>
      take(api.PATCH("/v1/skus/{sku_id}", { body: body as Schemas["SkuChange"], params: { path: { sku_id: id }, header: { "If-Match": etag } } })),
    onSuccess,
  });
}

/** All rows or none of up to `ROWS_MAX`. */
export function changeSkus(rows: SkuRow[]): Promise<Sku[]> {
  return take(api.POST("/v1/skus/changes", { body: { rows } })).then((done) => done.skus);
}

export function useEditSkus() {
  const onSuccess = useChanged();
  return useMutation({ mutationFn: (body: components["schemas"]["SkuEdit"]) => take(api.POST("/v1/skus/edits", { body })), onSuccess });
}

export function usePutOnShelf() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & components["schemas"]["Shelved"]) =>
      take(api.PUT("/v1/skus/{sku_id}/shelf", { body, params: { path: { sku_id: id } } })),
    onSuccess,
  });
}

export function useTakeOffShelf() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/skus/{sku_id}/shelf", { params: { path: { sku_id: id } } })),
    onSuccess,
  });
}

export function useMakeUnits(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (body: NewUnits) =>
      take(api.POST("/v1/skus/{sku_id}/units", { body: body as Schemas["NewUnits"], params: { path: { sku_id: id }, header: newKey() } })),
    onSuccess,
  });
}

export const pickPages =
  (id: string): Pages<PickView> =>
  (page) => ({
    queryKey: ["picks", id, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/skus/{sku_id}/picks", { params: { path: { sku_id: id }, query: page } }));
      return { rows: found.picks, next: found.next_cursor };
    },
  });

export function useChangePicks(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (picks: PickChange[]) =>
      take(api.PATCH("/v1/skus/{sku_id}/picks", { body: { picks: picks as Schemas["PickChange"][] }, params: { path: { sku_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["picks", id] }),
  });
}

export function useIssueTerms(id: string) {
  return useQuery({
    queryKey: ["issue", id],
    queryFn: () => take(api.GET("/v1/skus/{sku_id}/issue", { params: { path: { sku_id: id } } })),
  });
}

export function useSetIssueTerms(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: components["schemas"]["IssueTerms"]) =>
      take(api.PUT("/v1/skus/{sku_id}/issue", { body, params: { path: { sku_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["issue", id] }),
  });
}

/** What a file would do (`previews`), or doing it (`imports`), all of it or nothing. */
export async function sendCatalog(what: "previews" | "imports", file: File): Promise<CatalogReport> {
  const headers = { "Content-Type": mediaTypeOf(file), "X-Filename": encodeURIComponent(file.name) };
  return (await (await raw("POST", `/v1/catalog/${what}`, file, headers)).json()) as CatalogReport;
}

export function mediaTypeOf(file: File): string {
  const end = file.name.toLowerCase().split(".").at(-1);
  if (end === "xlsx") return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  return end === "csv" ? "text/csv" : "text/plain";
}
