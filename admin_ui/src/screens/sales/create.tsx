import { Alert, Button, Card, Form, Steps } from "antd";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import { newKey } from "@/api/client";
import { useCreateSale } from "@/api/sales";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Page, ProblemNote, useSay } from "@/ui";
import { Goods, Hours, Where } from "./create_steps";
import { Summary } from "./summary";
import { EMPTY, saleOf, type Wish } from "./wish";

const STEPS = ["goods", "hours", "where"] as const;
const FIELDS: Record<(typeof STEPS)[number], (keyof Wish)[]> = {
  goods: ["sku_id", "name", "units", "price"],
  hours: ["starts", "ends", "limit", "hold_minutes", "door", "fallback_per_s", "waiting_room"],
  where: ["everywhere", "channels"],
};

/** What, when, where: and before it is published, in numbers, what will happen. */
export default function CreateSale() {
  const t = useWords("sales");
  const { store } = useSession();
  const navigate = useNavigate();
  const say = useSay("sales");
  const create = useCreateSale();
  const [form] = Form.useForm<Wish>();
  const [step, setStep] = useState(0);
  const wish = { ...EMPTY, ...Form.useWatch((values: Wish) => values, { form, preserve: true }) };
  // The same wish has the same key, however often it is sent.
  const sent = useRef<{ text: string; key: ReturnType<typeof newKey> } | null>(null);
  const last = step === STEPS.length - 1;
  const next = async () => {
    const valid = await form.validateFields(FIELDS[STEPS[step] ?? "goods"]).then(() => true, () => false);
    if (valid) setStep(step + 1);
  };
  const publish = async () => {
    const sale = saleOf(wish, store.zone);
    if (sale === null || !(await form.validateFields(FIELDS.where).then(() => true, () => false))) return;
    const text = JSON.stringify(sale);
    if (sent.current?.text !== text) sent.current = { text, key: newKey() };
    const made = await create.mutateAsync({ sale, channels: wish.everywhere ? null : wish.channels, key: sent.current.key }).catch(() => null);
    if (made === null) return;
    say.done(t("create.done"));
    void navigate(`/sales/${made.id}`, { replace: true });
  };
  return (
    <Page title={t("create")} back="/sales" about={t("create.about")}>
      <Card>
        <Steps current={step} items={STEPS.map((key) => ({ title: t(`create.${key}`) }))} style={{ marginBottom: 24 }} responsive />
        {create.error !== null && <ProblemNote error={create.error} noun="sales" style={{ marginBottom: 16 }} />}
        <div className="sections">
          <Form<Wish> form={form} layout="vertical" initialValues={EMPTY} preserve scrollToFirstError>
            <div hidden={step !== 0}><Goods form={form} wish={wish} /></div>
            <div hidden={step !== 1}><Hours wish={wish} /></div>
            <div hidden={step !== 2}><Where wish={wish} /></div>
          </Form>
          <Summary wish={wish} />
        </div>
        {last && <Alert type="info" showIcon style={{ marginBottom: 16 }} title={t("create.last")} />}
        <div className="row" style={{ justifyContent: "flex-end" }}>
          {step > 0 && <Button onClick={() => setStep(step - 1)}>{t("create.back")}</Button>}
          {last ? (
            <Button type="primary" loading={create.isPending} onClick={() => void publish()}>{t("create.publish")}</Button>
          ) : (
            <Button type="primary" onClick={() => void next()}>{t("create.next")}</Button>
          )}
        </div>
      </Card>
    </Page>
  );
}
