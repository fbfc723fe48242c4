import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, newKey, take, takeTagged, type components } from "./client";
import type { Pages } from "./query";

export type Coupon = components["schemas"]["Coupon"];
export type NewCoupon = components["schemas"]["NewCoupon"];
export type CouponState = "draft" | "active" | "paused" | "ended";
export type CouponAct = "start" | "pause" | "resume" | "end";

export const couponPages =
  (query: { state?: CouponState }): Pages<Coupon> =>
  (page) => ({
    queryKey: ["coupons", query, page],
    queryFn: async () => {
      const found = await take(api.GET("/v1/coupons", { params: { query: { ...query, ...page } } }));
      return { rows: found.coupons, next: found.next_cursor };
    },
  });

function useChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["coupons"] });
}

export function useCreateCoupon() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: (body: NewCoupon) => take(api.POST("/v1/coupons", { body, params: { header: newKey() } })),
    onSuccess,
  });
}

/** A draft may change in everything. The version is the one that was just read: what another changed meanwhile is told. */
export function useChangeCoupon() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: async ({ id, body }: { id: string; body: NewCoupon }) => {
      const path = { coupon_id: id };
      const { etag } = await takeTagged(api.GET("/v1/coupons/{coupon_id}", { params: { path } }));
      return take(api.PATCH("/v1/coupons/{coupon_id}", { body, params: { path, header: { "If-Match": etag } } }));
    },
    onSuccess,
  });
}

export function useActOnCoupon() {
  const onSuccess = useChanged();
  return useMutation({
    mutationFn: ({ id, act }: { id: string; act: CouponAct }) => {
      const params = { path: { coupon_id: id } };
      switch (act) {
        case "start":
          return take(api.POST("/v1/coupons/{coupon_id}/start", { params }));
        case "pause":
          return take(api.POST("/v1/coupons/{coupon_id}/pause", { params }));
        case "resume":
          return take(api.POST("/v1/coupons/{coupon_id}/resume", { params }));
        case "end":
          return take(api.POST("/v1/coupons/{coupon_id}/end", { params }));
      }
    },
    onSuccess,
  });
}
