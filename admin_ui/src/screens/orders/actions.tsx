import { DownOutlined } from "@ant-design/icons";
import { Button, Dropdown, Form, Input, Modal, Radio, Select } from "antd";
import { useState } from "react";
import { useCancel, useResend, type CancelReason, type Order, type Standing } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { masked } from "./contact";
import { RefundDrawer } from "./refund_drawer";

type Open = "refund" | "resend" | "cancel" | null;

const REASONS: CancelReason[] = ["shopper_asked", "no_payment", "mistake", "fraud", "other"];

/** What can be done with an order in its state; the likeliest first, the others behind "more". */
export function Actions({ order, standing }: { order: Order; standing: Standing }) {
  const t = useWords("orders");
  const may = useMay();
  const [open, setOpen] = useState<Open>(null);
  const able: Exclude<Open, null>[] = [];
  if (order.state === "delivered" && may("orders:write")) able.push("resend");
  if (["delivered", "paid"].includes(order.state) && may("payments:write")) able.push("refund");
  if (order.state === "awaiting" && may("orders:write")) able.push("cancel");
  const close = () => setOpen(null);
  const [first, ...others] = able;
  return (
    <>
      {others.length > 1 && (
        <Dropdown menu={{ items: others.map((key) => ({ key, label: t(`action.${key}`), onClick: () => setOpen(key) })) }} trigger={["click"]}>
          <Button>
            {t("action.more")} <DownOutlined />
          </Button>
        </Dropdown>
      )}
      {others.length === 1 && others[0] && <Button onClick={() => setOpen(others[0] ?? null)}>{t(`action.${others[0]}`)}</Button>}
      {first && (
        <Button type="primary" danger={first === "cancel"} onClick={() => setOpen(first)}>
          {t(`action.${first}`)}
        </Button>
      )}
      {open === "refund" && <RefundDrawer order={order} standing={standing} onClose={close} />}
      {open === "resend" && <Resend order={order} onClose={close} />}
      {open === "cancel" && <Cancel order={order} standing={standing} onClose={close} />}
    </>
  );
}

function Cancel({ order, standing, onClose }: { order: Order; standing: Standing; onClose: () => void }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const cancel = useCancel();
  const [reason, setReason] = useState<CancelReason | null>(null);
  const units = standing.lines.reduce((sum, line) => sum + line.quantity, 0);
  const go = () =>
    cancel.mutate({ id: order.id, reason }, {
      onSuccess: ({ state }) => {
        say.done(t(state === "cancelled" ? "cancel.done" : "cancel.closing"));
        onClose();
      },
    });
  return (
    <Modal
      open title={t("cancel.title")} okText={t("action.cancel")} cancelText={t("cancel")} okButtonProps={{ danger: true, loading: cancel.isPending }}
      onOk={go} onCancel={onClose}
    >
      {cancel.isError && <ProblemNote error={cancel.error} noun="orders" />}
      <p>{t("cancel.text", { n: units })}</p>
      <Select
        allowClear style={{ width: "100%" }} aria-label={t("cancel.reason")} placeholder={t("cancel.reason")} value={reason} onChange={(value: CancelReason | null) => setReason(value ?? null)}
        options={REASONS.map((value) => ({ value, label: t(`cancel.reason.${value}`) }))}
      />
    </Modal>
  );
}

function Resend({ order, onClose }: { order: Order; onClose: () => void }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const resend = useResend();
  const [form] = Form.useForm<{ to: "contact" | "other"; mail?: string }>();
  const hasMail = order.contact?.includes("@") ?? false;
  const to = Form.useWatch("to", form) ?? (hasMail ? "contact" : "other");
  const go = (values: { mail?: string }) =>
    resend.mutate({ id: order.id, mail: to === "other" ? (values.mail ?? "").trim() : null }, {
      onSuccess: () => {
        say.done(t("resend.done"));
        onClose();
      },
    });
  return (
    <Modal open title={t("resend.title")} okText={t("resend.ok")} cancelText={t("cancel")} confirmLoading={resend.isPending} onOk={() => form.submit()} onCancel={onClose}>
      {resend.isError && <ProblemNote error={resend.error} noun="orders" />}
      <p>{t("resend.about")}</p>
      <Form form={form} layout="vertical" onFinish={go} initialValues={{ to: hasMail ? "contact" : "other" }}>
        <Form.Item name="to" style={{ marginBottom: 8 }}>
          <Radio.Group
            vertical
            options={[
              { value: "contact", disabled: !hasMail, label: order.contact === null ? t("contact.none") : t("resend.to_contact", { contact: masked(order.contact) }) },
              { value: "other", label: t("resend.to_other") },
            ]}
          />
        </Form.Item>
        {to === "other" && (
          <Form.Item name="mail" label={t("resend.mail")} rules={[{ required: true, type: "email" }]}>
            <Input type="email" autoComplete="off" />
          </Form.Item>
        )}
      </Form>
    </Modal>
  );
}
