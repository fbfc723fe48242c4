import { useMutation, useQuery } from "@tanstack/react-query";
import { api, newKey, send, take, type components } from "./client";
import { queries, type Pages } from "./query";

type Schemas = components["schemas"];
export type Qualification = Schemas["Qualification"];

const changed = () => queries.invalidateQueries({ queryKey: ["qualifications"] });
const at = (id: string) => ({ params: { path: { qualification_id: id } } });

export const qualificationPages: Pages<Qualification> = (page) => ({
  queryKey: ["qualifications", page],
  queryFn: async () => {
    const found = await take(api.GET("/v1/qualifications", { params: { query: page } }));
    return { rows: found.qualifications, next: found.next_cursor };
  },
});

export function useQualification(id: string) {
  return useQuery({ queryKey: ["qualifications", "one", id], queryFn: () => take(api.GET("/v1/qualifications/{qualification_id}", at(id))) });
}

export function useCapabilities() {
  return useQuery({ queryKey: ["qualifications", "capabilities"], queryFn: () => take(api.GET("/v1/capabilities")) });
}

export function useCreateQualification() {
  return useMutation({
    mutationFn: (wish: Schemas["NewQualification"]) => take(api.POST("/v1/qualifications", { params: { header: newKey() }, body: wish })),
    onSuccess: changed,
  });
}

export function useCorrectQualification() {
  return useMutation({
    mutationFn: ({ id, ...wish }: Schemas["NewParticulars"] & { id: string }) => take(api.POST("/v1/qualifications/{qualification_id}/particulars", { ...at(id), body: wish })),
    onSuccess: changed,
  });
}

export function useSubmitQualification() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/qualifications/{qualification_id}/submit", { ...at(id), body: {} })), onSuccess: changed });
}

export function useWithdrawQualification() {
  return useMutation({ mutationFn: (id: string) => take(api.POST("/v1/qualifications/{qualification_id}/withdraw", { ...at(id), body: {} })), onSuccess: changed });
}

export function useAddDocument() {
  return useMutation({
    mutationFn: ({ id, shows, file }: { id: string; shows: string; file: File }) =>
      send("POST", `/v1/qualifications/${id}/documents?shows=${encodeURIComponent(shows)}`, file, { "Content-Type": file.type || "application/octet-stream", "X-Filename": encodeURIComponent(file.name) }),
    onSuccess: changed,
  });
}

export function useDeleteDocument() {
  return useMutation({
    mutationFn: ({ id, document }: { id: string; document: string }) =>
      take(api.DELETE("/v1/qualifications/{qualification_id}/documents/{document_id}", { params: { path: { qualification_id: id, document_id: document } } })),
    onSuccess: changed,
  });
}
