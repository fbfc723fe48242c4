import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, takeTagged, type components } from "./client";

export type Category = components["schemas"]["Category"];
export type NewCategory = components["schemas"]["NewCategory"];

const KEY = ["categories"];

/** The whole tree, at most 500: parents before what stands in them. */
export function useCategories() {
  return useQuery({ queryKey: KEY, queryFn: () => take(api.GET("/v1/categories")).then((found) => found.categories), staleTime: 60_000 });
}

/** `Games / Steam` for each category, by id. */
export function pathsOf(categories: Category[]): Map<string, string> {
  const paths = new Map<string, string>();
  for (const each of categories) {
    const above = each.parent_id ? paths.get(each.parent_id) : undefined;
    paths.set(each.id, above ? `${above} / ${each.name}` : each.name);
  }
  return paths;
}

export interface CategoryNode {
  key: string;
  value: string;
  title: string;
  category: Category;
  children: CategoryNode[];
}

/** For trees and for the select of a tree. */
export function treeOf(categories: Category[]): CategoryNode[] {
  const nodes = new Map<string, CategoryNode>();
  const top: CategoryNode[] = [];
  for (const category of categories) {
    const node = { key: category.id, value: category.id, title: category.name, category, children: [] };
    nodes.set(category.id, node);
    (category.parent_id ? (nodes.get(category.parent_id)?.children ?? top) : top).push(node);
  }
  return top;
}

function useChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: KEY });
}

export function useCreateCategory() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (body: NewCategory) => take(api.POST("/v1/categories", { body, params: { header: newKey() } })),
    onSuccess,
  });
}

/** Whatever version is current: a tree is moved about by hand, and the last hand counts. */
export function useChangeCategory() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: async ({ id, ...body }: { id: string; name?: string; parent_id?: string | null; position?: number }) => {
      const params = { path: { category_id: id } };
      const { etag } = await takeTagged(api.GET("/v1/categories/{category_id}", { params }));
      return take(api.PATCH("/v1/categories/{category_id}", { body, params: { ...params, header: { "If-Match": etag } } }));
    },
    onSuccess,
  });
}

export function useRemoveCategory() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/v1/categories/{category_id}", { params: { path: { category_id: id } } })),
    onSuccess,
  });
}
