import { Alert, Button, Descriptions, Drawer, Form, Input, InputNumber } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useEntitlement, useLicences, useProlong, useRevoke, type Entitlement } from "../../api/entitlements";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { CopyId } from "../../ui/copy_id";
import { Moment } from "../../ui/moment";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { EntitlementState } from "./columns";
import { mayProlong, prolonged } from "./ends";
import { LicencesOfOrder } from "./licences";

/** One entitlement: since when, until when, on what; and to have it last longer, or end. */
export function EntitlementDrawer({ one, onClose }: { one: Entitlement; onClose: () => void }) {
  const t = useWords("entitlements");
  const may = useMay();
  const { data } = useEntitlement(one.id);
  const now = data?.entitlement ?? one;
  const { data: licences } = useLicences(now.type === "licence" ? now.order_id : null);
  return (
    <Drawer open onClose={onClose} title={t(`type.${now.type}`)} size={500}>
      <div className="stack">
        <Descriptions
          column={1} size="small" colon={false} styles={{ label: { width: 96 } }}
          items={[
            { key: "state", label: t("column.state"), children: <EntitlementState value={now.state} /> },
            { key: "from", label: t("column.from"), children: <Moment at={now.valid_from} exact /> },
            { key: "until", label: t("column.until"), children: now.valid_until === null ? t("forever") : <Moment at={now.valid_until} exact /> },
            { key: "order", label: t("column.order"), children: <Link to={`/orders/${now.order_id}`}>{t("open_order")}</Link> },
            { key: "shopper", label: t("column.shopper"), children: <Link to={`/customers/${now.shopper_id}`}>{t("open_shopper")}</Link> },
            { key: "id", label: t("column.id"), children: <CopyId id={now.id} /> },
          ]}
        />
        {licences !== undefined && licences.length > 0 && <LicencesOfOrder licences={licences.filter((each) => each.unit === now.unit)} />}
        {may("orders:write") && mayProlong(now) && <Prolong one={now} />}
        {may("orders:write") && now.state !== "revoked" && <Revoke one={now} onDone={onClose} />}
      </div>
    </Drawer>
  );
}

function Prolong({ one }: { one: Entitlement }) {
  const t = useWords("entitlements");
  const say = useSay("entitlements");
  const act = useProlong();
  const [form] = Form.useForm<{ days: number; reason: string }>();
  const days = Form.useWatch("days", form) ?? 0;
  const go = (values: { days: number; reason: string }) =>
    act.mutate({ id: one.id, days: values.days, reason: values.reason.trim() }, {
      onSuccess: () => {
        say.done(t("prolong.done", { n: values.days }));
        form.resetFields();
      },
    });
  return (
    <section>
      <h2 className="section-title">{t("prolong")}</h2>
      {act.isError && <ProblemNote error={act.error} noun="entitlements" />}
      <Form form={form} layout="vertical" onFinish={go} initialValues={{ days: 7 }}>
        <Form.Item name="days" label={t("prolong.days")} rules={[{ required: true }]} extra={one.type === "membership" ? t("prolong.membership") : undefined}>
          <InputNumber min={1} max={3660} precision={0} style={{ width: 140 }} />
        </Form.Item>
        <Form.Item name="reason" label={t("reason")} rules={[{ required: true, whitespace: true, max: 200 }]}>
          <Input maxLength={200} />
        </Form.Item>
        <div className="row">
          <Button htmlType="submit" type="primary" loading={act.isPending}>
            {t("prolong.ok", { n: days })}
          </Button>
          {one.valid_until !== null && days > 0 && one.type === "licence" && (
            <span className="muted">
              {t("prolong.until")} <Moment at={prolonged(one.valid_until, days)} exact />
            </span>
          )}
        </div>
      </Form>
    </section>
  );
}

function Revoke({ one, onDone }: { one: Entitlement; onDone: () => void }) {
  const t = useWords("entitlements");
  const say = useSay("entitlements");
  const confirm = useConfirm("entitlements");
  const act = useRevoke();
  const [reason, setReason] = useState("");
  const ask = () =>
    confirm({
      title: t("revoke.title"), text: t(one.type === "membership" ? "revoke.membership" : "revoke.text"), ok: t("revoke.ok"), danger: true,
      act: async () => {
        await act.mutateAsync({ id: one.id, reason: reason.trim() });
        say.done(t("revoke.done"));
        onDone();
      },
    });
  return (
    <section>
      <h2 className="section-title">{t("revoke")}</h2>
      <Alert type="info" title={t("revoke.about")} style={{ marginBottom: 8 }} />
      <div className="row" style={{ flexWrap: "nowrap" }}>
        <Input value={reason} onChange={(event) => setReason(event.target.value)} maxLength={200} aria-label={t("reason")} placeholder={t("reason")} />
        <Button danger disabled={reason.trim() === ""} onClick={ask}>
          {t("revoke.ok")}
        </Button>
      </div>
    </section>
  );
}
