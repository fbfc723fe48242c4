import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, raw, take, takeTagged, type components } from "./client";
import type { Pages } from "./query";

export type Product = components["schemas"]["Product"];
type Body = components["schemas"]["NewProduct"];
/** What may be left out has a default, which the generated types take for given. */
export type NewProduct = Pick<Body, "name"> & Partial<Body>;
export type ProductChange = components["schemas"]["ProductChange"];
export type ProductReview = components["schemas"]["ProductReview"];
export type ProductImage = components["schemas"]["ProductImage"];
export type Translation = components["schemas"]["Translation"];
export type TypeView = components["schemas"]["TypeView"];

export interface ProductFilters {
  q?: string;
  category_id?: string;
  state?: string;
}

export const productPages =
  (filters: ProductFilters): Pages<Product> =>
  (page) => ({
    queryKey: ["products", filters, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/products", { params: { query: { ...filters, ...page } } }));
      return { rows: found.products, next: found.next_cursor };
    },
  });

export function useProduct(id: string) {
  return useQuery({
    queryKey: ["products", id],
    queryFn: () => takeTagged(api.GET("/v1/products/{product_id}", { params: { path: { product_id: id } } })),
  });
}

function useChanged() {
  const client = useQueryClient();
  return () => Promise.all([client.invalidateQueries({ queryKey: ["products"] }), client.invalidateQueries({ queryKey: ["skus"] })]);
}

export function useCreateProduct() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (body: NewProduct) => take(api.POST("/v1/products", { body: body as Body, params: { header: newKey() } })),
    onSuccess,
  });
}

export function useChangeProduct(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ etag, body }: { etag: string; body: ProductChange }) =>
      take(api.PATCH("/v1/products/{product_id}", { body, params: { path: { product_id: id }, header: { "If-Match": etag } } })),
    onSuccess,
  });
}

export const reviewPages =
  (id: string): Pages<ProductReview> =>
  (page) => ({
    queryKey: ["products", id, "reviews", page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/products/{product_id}/reviews", { params: { path: { product_id: id }, query: page } }));
      return { rows: found.reviews, next: found.next_cursor };
    },
  });

export function useAddImage(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: async (file: File) =>
      (await (await raw("POST", `/v1/products/${id}/images`, file, { "Content-Type": file.type })).json()) as ProductImage,
    onSuccess,
  });
}

export function useOrderImages(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (image_ids: string[]) =>
      take(api.PUT("/v1/products/{product_id}/images/order", { body: { image_ids }, params: { path: { product_id: id } } })),
    onSuccess,
  });
}

export function useRemoveImage(id: string) {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (image_id: string) =>
      take(api.DELETE("/v1/products/{product_id}/images/{image_id}", { params: { path: { product_id: id, image_id } } })),
    onSuccess,
  });
}

export function useTranslations(subject_id: string) {
  return useQuery({
    queryKey: ["translations", subject_id],
    queryFn: () => take(api.GET("/v1/translations/{subject_id}", { params: { path: { subject_id } } })).then((found) => found.translations),
  });
}

export function usePutTranslation(subject_id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ locale, name, description }: { locale: string; name: string; description: string | null }) =>
      take(api.PUT("/v1/translations/{subject_id}/{locale}", { body: { name, description }, params: { path: { subject_id, locale } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["translations", subject_id] }),
  });
}

export function useRemoveTranslation(subject_id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (locale: string) => take(api.DELETE("/v1/translations/{subject_id}/{locale}", { params: { path: { subject_id, locale } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["translations", subject_id] }),
  });
}

/** The product types there are; they change with the release, not with the store. */
export function useTypes() {
  return useQuery({ queryKey: ["types"], queryFn: () => take(api.GET("/v1/types")).then((found) => found.types), staleTime: Infinity });
}
