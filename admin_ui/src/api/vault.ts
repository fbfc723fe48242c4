import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, raw, take, type components } from "./client";
import type { Pages } from "./query";
import { mediaTypeOf } from "./skus";

export type Report = components["schemas"]["Report"];
export type Preview = components["schemas"]["Preview"];
export type Batch = components["schemas"]["ListedBatch"];
export type Watch = components["schemas"]["StockWatch"];
export type Rotation = components["schemas"]["RotationView"];
export type CodeExport = components["schemas"]["ExportView"];
/** One of `sku_id`, `import_id` and `order_id`. */
export type NewExport = { reason: string } & Partial<components["schemas"]["NewExport"]>;
export type Wishes = { encoding?: string; delimiter?: string; header?: string; columns?: string };

function useChanged(...nouns: string[]) {
  const client = useQueryClient();
  return () => Promise.all(nouns.map((noun) => client.invalidateQueries({ queryKey: [noun] })));
}

function address(path: string, query: Record<string, string | number | undefined>): string {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return `${path}?${new URLSearchParams(said.map(([name, value]) => [name, String(value)]))}`;
}

function headersOf(file: File): Record<string, string> {
  return { "Content-Type": mediaTypeOf(file), "X-Filename": encodeURIComponent(file.name) };
}

export async function previewCodes(file: File, sku_id: string, wishes: Wishes): Promise<Preview> {
  return (await (await raw("POST", address("/v1/vault/previews", { sku_id, ...wishes }), file, headersOf(file))).json()) as Preview;
}

/** Of the batch as a whole. */
export interface Origin {
  source?: string;
  note?: string;
  cost_minor?: number;
  priority?: number;
  valid_from?: string;
  valid_until?: string;
}

/** Answers when all of it is stock. The same key again goes on where it was cut off. */
export async function loadCodes(file: File, sku_id: string, origin: Origin, wishes: Wishes, key: string): Promise<Report> {
  const path = address("/v1/vault/imports", { sku_id, ...origin, ...wishes });
  return (await (await raw("POST", path, file, { ...headersOf(file), "Idempotency-Key": key })).json()) as Report;
}

export async function resumeImport(id: string, file: File): Promise<Report> {
  return (await (await raw("POST", `/v1/vault/imports/${id}/resume`, file, headersOf(file))).json()) as Report;
}

export async function latestImports(limit: number): Promise<Report[]> {
  return (await take(api.GET("/v1/vault/imports", { params: { query: { limit } } }))).imports;
}

export const importPages =
  (): Pages<Report> =>
  (page) => ({
    queryKey: ["imports", page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/imports", { params: { query: page } }));
      return { rows: found.imports, next: found.next_cursor };
    },
  });

export function askImport(id: string): Promise<Report> {
  return take(api.GET("/v1/vault/imports/{import_id}", { params: { path: { import_id: id } } }));
}

export function useImport(id: string) {
  return useQuery({ queryKey: ["imports", id], queryFn: () => askImport(id) });
}

export const batchPages =
  (filters: { sku_id?: string }): Pages<Batch> =>
  (page) => ({
    queryKey: ["batches", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/batches", { params: { query: { ...filters, ...page } } }));
      return { rows: found.batches, next: found.next_cursor };
    },
  });

export function useBatchActs(id: string) {
  const onSuccess = useChanged("batches", "units", "skus");
  const params = { path: { batch_id: id } };
  return {
    set: useMutation({
      mutationFn: (body: components["schemas"]["BatchTerms"]) => take(api.PUT("/v1/vault/batches/{batch_id}", { body, params })),
      onSuccess,
    }),
    recall: useMutation({
      mutationFn: (body: components["schemas"]["Recall"]) => take(api.POST("/v1/vault/batches/{batch_id}/recall", { body, params })),
      onSuccess,
    }),
    restore: useMutation({
      mutationFn: (reason: string) => take(api.POST("/v1/vault/batches/{batch_id}/restore", { body: { reason }, params })),
      onSuccess,
    }),
  };
}

export const exportPages =
  (): Pages<CodeExport> =>
  (page) => ({
    queryKey: ["exports", page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/exports", { params: { query: page } }));
      return { rows: found.items, next: found.next_cursor };
    },
  });

export function useRequestExport() {
  const onSuccess = useChanged("exports");
  return useMutation({
    mutationFn: (body: NewExport) => take(api.POST("/v1/vault/exports", { body: body as components["schemas"]["NewExport"], params: { header: newKey() } })),
    onSuccess,
  });
}

export function useDecideExport() {
  const onSuccess = useChanged("exports");
  return useMutation({
    mutationFn: ({ id, consent }: { id: string; consent: boolean }) => {
      const params = { path: { code_export_id: id } };
      return consent
        ? take(api.POST("/v1/vault/exports/{code_export_id}/approve", { body: {}, params }))
        : take(api.POST("/v1/vault/exports/{code_export_id}/refuse", { body: {}, params }));
    },
    onSuccess,
  });
}

/** Once, and what of it was for sale is void from then on. */
export function useDownloadExport() {
  const onSuccess = useChanged("exports", "units", "skus");
  return useMutation({
    mutationFn: async (id: string) =>
      (await raw("POST", `/v1/vault/exports/${id}/download`, "{}", { "Content-Type": "application/json" })).blob(),
    onSuccess,
  });
}

export const watchPages =
  (filters: { stock?: "low" | "enough" }): Pages<Watch> =>
  (page) => ({
    queryKey: ["watches", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/stock-watches", { params: { query: { ...filters, ...page } } }));
      return { rows: found.items, next: found.next_cursor };
    },
  });

export function useWatchStock() {
  const onSuccess = useChanged("watches");
  return useMutation({
    mutationFn: ({ sku_id, low_stock_at }: { sku_id: string; low_stock_at: number }) =>
      take(api.PUT("/v1/vault/stock-watches/{sku_id}", { body: { low_stock_at }, params: { path: { sku_id } } })),
    onSuccess,
  });
}

export function useUnwatchStock() {
  const onSuccess = useChanged("watches");
  return useMutation({
    mutationFn: (sku_id: string) => take(api.DELETE("/v1/vault/stock-watches/{sku_id}", { params: { path: { sku_id } } })),
    onSuccess,
  });
}

export const rotationPages =
  (): Pages<Rotation> =>
  (page) => ({
    queryKey: ["rotations", page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/vault/rotations", { params: { query: page } }));
      return { rows: found.items, next: found.next_cursor };
    },
  });

export function useRotateKeys() {
  const onSuccess = useChanged("rotations");
  return useMutation({
    mutationFn: (purposes: ("seal" | "fingerprint")[]) =>
      take(api.POST("/v1/vault/rotations", { body: { purposes }, params: { header: newKey() } })),
    onSuccess,
  });
}
