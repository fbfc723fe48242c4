import { useMutation, useQuery } from "@tanstack/react-query";
import { raw, send } from "./client";
import { Problem } from "./problem";
import { queries } from "./query";
import { reloadSession } from "./session";

/** What is known of how far a store has come. Each is read from the API; nothing is ticked by a click. */
export interface Facts {
  test: { product: boolean; account: boolean; sale: string | null; delivered: boolean };
  live: { dressed: boolean; policies: boolean; product: boolean; codes: boolean; qualified: boolean; colleagues: boolean };
}

const TEST = { "X-Tessera-Mode": "test" };
const LIVE = { "X-Tessera-Mode": "live" };

/** Of what one may not see, nothing is known: it counts as not done. */
async function ask<T>(path: string, mode: Record<string, string>, otherwise: T): Promise<T> {
  try {
    return (await (await raw("GET", path, undefined, mode)).json()) as T;
  } catch (error) {
    const { status } = Problem.from(error);
    if (status === 403 || status === 404) return otherwise;
    throw error;
  }
}

interface Settings {
  contact: string;
  primary_color: string | null;
  images: Record<string, unknown>;
  refund_policy: string;
}

async function facts(hasSandbox: boolean, may: (permission: string) => boolean): Promise<Facts> {
  const if_ = <T,>(permission: string, path: string, mode: Record<string, string>, otherwise: T) => (may(permission) ? ask(path, mode, otherwise) : Promise.resolve(otherwise));
  const none = { contact: "", primary_color: null, images: {}, refund_policy: "" } satisfies Settings;
  const inTest = <T,>(permission: string, path: string, otherwise: T) => (hasSandbox ? if_(permission, path, TEST, otherwise) : Promise.resolve(otherwise));
  const [store, products, imports, capabilities, staff, testProducts, accounts, sales, orders] = await Promise.all([
    if_<Settings>("store:read", "/v1/store", LIVE, none),
    if_("catalog:read", "/v1/products?limit=1", LIVE, { products: [] as unknown[] }),
    if_("vault:read", "/v1/vault/imports?limit=1", LIVE, { imports: [] as unknown[] }),
    if_("sales:read", "/v1/capabilities", LIVE, { live_providers: false }),
    if_("staff:read", "/v1/staff?limit=2", LIVE, { staff: [] as unknown[] }),
    inTest("catalog:read", "/v1/products?limit=1", { products: [] as unknown[] }),
    inTest("orders:read", "/v1/provider-accounts", { accounts: [] as unknown[] }),
    inTest("sales:read", "/v1/sales?limit=1", { sales: [] as { id: string }[] }),
    inTest("orders:read", "/v1/orders?limit=1&state=delivered", { items: [] as unknown[] }),
  ]);
  return {
    test: { product: testProducts.products.length > 0, account: accounts.accounts.length > 0, sale: sales.sales[0]?.id ?? null, delivered: orders.items.length > 0 },
    live: {
      dressed: store.contact !== "" && (store.primary_color !== null || Object.keys(store.images).length > 0),
      policies: store.refund_policy !== "",
      product: products.products.length > 0,
      codes: imports.imports.length > 0,
      qualified: capabilities.live_providers,
      colleagues: staff.staff.length > 1,
    },
  };
}

export function useFacts(hasSandbox: boolean, may: (permission: string) => boolean) {
  return useQuery({ queryKey: ["setup", hasSandbox], queryFn: () => facts(hasSandbox, may), refetchInterval: 10_000 });
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const json = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
  return (await (await raw("POST", path, JSON.stringify(body), { ...TEST, ...json })).json()) as T;
}

const openSandbox = async () => {
  await send("POST", "/console/sandbox", "{}", { ...LIVE, "Content-Type": "application/json" });
  await reloadSession();
};
const changed = () => queries.invalidateQueries({ queryKey: ["setup"] });

export interface Sample {
  product: string;
  sku: string;
  note: string;
  currency: string;
}

const SAMPLE_CODES = 20;

/** A product, a SKU and codes that open nothing, in the sandbox. */
export function useAddSample() {
  return useMutation({
    mutationFn: async ({ product, sku, note, currency }: Sample) => {
      await openSandbox();
      const made = await post<{ id: string }>("/v1/products", { name: product, description: note });
      const unit = await post<{ id: string }>("/v1/skus", { product_id: made.id, name: sku, price_minor: 1990, currency });
      const lines = Array.from({ length: SAMPLE_CODES }, () => `TEST-${crypto.randomUUID().slice(0, 18).toUpperCase()}\n`).join("");
      await send("POST", `/v1/vault/imports?sku_id=${unit.id}`, lines, { ...TEST, "Content-Type": "text/plain", "X-Filename": "samples.txt" });
    },
    onSuccess: changed,
  });
}

export function useTestAccount() {
  return useMutation({
    mutationFn: async () => {
      await openSandbox();
      await post("/v1/provider-accounts/test", {});
    },
    onSuccess: changed,
  });
}

/** Puts the sandbox's newest SKU on sale, all of it, at once. */
export function useSampleSale() {
  return useMutation({
    mutationFn: async (name: string) => {
      const found = (await (await raw("GET", "/v1/skus?limit=1", undefined, TEST)).json()) as { skus: { id: string }[] };
      const sku = found.skus[0];
      if (sku !== undefined) await post("/v1/sales", { sku_id: sku.id, name, units: "all", limit_per_shopper: 5 });
    },
    onSuccess: changed,
  });
}

/** Where shoppers find the sandbox's store. */
export function useTestStore(hasSandbox: boolean) {
  return useQuery({
    queryKey: ["setup", "store"],
    enabled: hasSandbox,
    queryFn: async () => {
      const session = (await (await raw("GET", "/console/session", undefined, TEST)).json()) as { store: { url: string } | null };
      return session.store?.url ?? "";
    },
  });
}
