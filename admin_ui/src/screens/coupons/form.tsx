import { Form, Input, InputNumber, Radio, Switch } from "antd";
import type { Coupon, NewCoupon } from "@/api/coupons";
import { useWords } from "@/shell/words";
import { digitsOf, minorOf } from "@/ui/money";
import { SkuPicker } from "@/ui/sku";

export interface CouponForm {
  name: string;
  kind: "fixed" | "percent";
  off?: string;
  percent?: number | null;
  cap?: string;
  threshold?: string;
  sku_id?: string | null;
  claim: "public" | "code" | "staff";
  code?: string;
  days?: number | null;
  per_shopper_max: number;
  claims_max?: number | null;
  uses_max?: number | null;
  budget?: string;
  stack_group?: string;
  exclusive: boolean;
  returned: boolean;
}

export const NEW: CouponForm = { name: "", kind: "fixed", claim: "public", per_shopper_max: 1, exclusive: false, returned: true };

/** Of a coupon that the screen shows whole: others have scopes, channels or windows that only the API writes. */
export function isPlain(coupon: Coupon): boolean {
  const { sku_ids, product_ids, category_ids, channels, claim_from, claim_until, valid_from, valid_until } = coupon;
  const named = sku_ids.length + product_ids.length + category_ids.length;
  return named <= 1 && sku_ids.length === named && coupon.scope !== "except" && !channels.length && ![claim_from, claim_until, valid_from, valid_until].some(Boolean);
}

export function formOf(coupon: Coupon): CouponForm {
  const text = (minor: number | null) => (minor ? String(minor / 10 ** digitsOf(coupon.currency)) : undefined);
  return {
    name: coupon.name, kind: coupon.kind as CouponForm["kind"], off: text(coupon.off_minor), percent: coupon.off_bp ? coupon.off_bp / 100 : null,
    cap: text(coupon.cap_minor), threshold: text(coupon.threshold_minor), sku_id: coupon.sku_ids[0] ?? null,
    claim: coupon.claim as CouponForm["claim"], code: coupon.code ?? undefined, days: coupon.valid_days, per_shopper_max: coupon.per_shopper_max,
    claims_max: coupon.claims_max, uses_max: coupon.uses_max, budget: text(coupon.budget_minor), stack_group: coupon.stack_group,
    exclusive: coupon.exclusive, returned: coupon.returned_on_refund,
  };
}

export function bodyOf(form: CouponForm, currency: string): NewCoupon {
  const minor = (text?: string) => (text ? minorOf(text, currency) : null);
  const isFixed = form.kind === "fixed";
  return {
    name: form.name.trim(), kind: form.kind, off_minor: isFixed ? (minor(form.off) ?? 0) : 0, off_bp: isFixed ? 0 : Math.round((form.percent ?? 0) * 100),
    cap_minor: isFixed ? null : minor(form.cap), threshold_minor: minor(form.threshold) ?? 0, scope: form.sku_id ? "only" : "all",
    sku_ids: form.sku_id ? [form.sku_id] : [], claim: form.claim, code: form.claim === "code" ? (form.code?.trim().toUpperCase() ?? null) : null,
    valid_days: form.days ?? null, per_shopper_max: form.per_shopper_max, claims_max: form.claims_max ?? null, uses_max: form.uses_max ?? null,
    budget_minor: minor(form.budget), stack_group: form.stack_group?.trim() ?? "", exclusive: form.exclusive, returned_on_refund: form.returned,
  };
}

/** What a coupon takes off, for whom, and how often. */
export function CouponFields({ currency }: { currency: string }) {
  const t = useWords("coupons");
  const kind = Form.useWatch<CouponForm["kind"]>("kind") ?? "fixed";
  const claim = Form.useWatch<CouponForm["claim"]>("claim") ?? "public";
  const amount = { validator: (_: unknown, text?: string) => (!text || minorOf(text, currency) ? Promise.resolve() : Promise.reject(new Error(t("wrong.amount")))) };
  const needed = { required: true, message: t("needed") };
  return (
    <>
      <Form.Item name="name" label={t("field.name")} extra={t("field.name_hint")} rules={[{ ...needed, whitespace: true }]}><Input maxLength={100} /></Form.Item>
      <Form.Item name="kind" label={t("field.kind")}>
        <Radio.Group options={(["fixed", "percent"] as const).map((value) => ({ value, label: t(`kind.${value}`) }))} />
      </Form.Item>
      {kind === "fixed" ? (
        <Form.Item name="off" label={t("field.off")} rules={[needed, amount]}><Input inputMode="decimal" suffix={currency} /></Form.Item>
      ) : (
        <>
          <Form.Item name="percent" label={t("field.percent")} extra={t("field.percent_hint")} rules={[needed]}><InputNumber min={0.01} max={99.99} precision={2} suffix="%" style={{ width: "100%" }} /></Form.Item>
          <Form.Item name="cap" label={t("field.cap")} rules={[amount]}><Input inputMode="decimal" suffix={currency} /></Form.Item>
        </>
      )}
      <Form.Item name="threshold" label={t("field.threshold")} extra={t("field.threshold_hint")} rules={[amount]}><Input inputMode="decimal" suffix={currency} /></Form.Item>
      <Form.Item name="sku_id" label={t("field.sku")} extra={t("field.sku_hint")}><SkuPicker allowClear /></Form.Item>
      <Form.Item name="claim" label={t("field.claim")}>
        <Radio.Group options={(["public", "code", "staff"] as const).map((value) => ({ value, label: t(`claim.${value}`) }))} />
      </Form.Item>
      {claim === "code" && (
        <Form.Item name="code" label={t("field.code")} extra={t("field.code_hint")} rules={[needed, { pattern: /^[A-Za-z0-9-]{3,32}$/, message: t("wrong.code") }]}><Input maxLength={32} /></Form.Item>
      )}
      <Form.Item name="days" label={t("field.days")} extra={t("field.days_hint")}><InputNumber min={1} max={3650} precision={0} style={{ width: "100%" }} /></Form.Item>
      <Form.Item name="per_shopper_max" label={t("field.per_shopper")} rules={[needed]}><InputNumber min={1} max={100} precision={0} style={{ width: "100%" }} /></Form.Item>
      <Form.Item name="claims_max" label={t("field.claims_max")}><InputNumber min={1} max={10_000_000} precision={0} style={{ width: "100%" }} /></Form.Item>
      <Form.Item name="uses_max" label={t("field.uses_max")}><InputNumber min={1} max={10_000_000} precision={0} style={{ width: "100%" }} /></Form.Item>
      <Form.Item name="budget" label={t("field.budget")} rules={[amount]}><Input inputMode="decimal" suffix={currency} /></Form.Item>
      <Form.Item name="stack_group" label={t("field.group")} extra={t("field.group_hint")}><Input maxLength={32} /></Form.Item>
      <Form.Item name="exclusive" label={t("field.exclusive")} valuePropName="checked"><Switch /></Form.Item>
      <Form.Item name="returned" label={t("field.returned")} valuePropName="checked"><Switch /></Form.Item>
    </>
  );
}
