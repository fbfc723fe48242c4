import { Alert, Button, Card, Form, Input, InputNumber } from "antd";
import { useState } from "react";
import { useLeave, useLeaving, usePutRetention, useRetention, useStay, type Rules } from "@/api/store";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, FormDrawer, Moment, ProblemNote, SaveBar, useSay } from "@/ui";
import { Field, SettingsPage } from "./parts";

const RULES = ["contact_days", "reply_days", "event_days", "notice_days", "cart_days"] as const satisfies (keyof Rules)[];

/** How long things are kept, and how to leave. */
export default function Data() {
  const { mode } = useSession();
  return (
    <SettingsPage>
      <div className="stack">
        <Keeping />
        {mode === "live" && <Leaving />}
      </div>
    </SettingsPage>
  );
}

function Keeping() {
  const t = useWords("settings");
  const may = useMay();
  const say = useSay("settings");
  const rules = useRetention();
  const put = usePutRetention();
  const [changes, setChanges] = useState<Partial<Rules>>({});
  if (rules.isError) return <ProblemNote error={rules.error} />;
  if (rules.data === undefined) return <Card loading />;
  const known = rules.data;
  const discard = () => {
    setChanges({});
    put.reset();
  };
  const save = () =>
    void put.mutateAsync({ ...known, ...changes }).then(
      () => {
        discard();
        say.done(t("saved"));
      },
      () => undefined,
    );
  return (
    <Card title={t("data.keeping")}>
      <p className="muted" style={{ marginTop: 0 }}>{t("data.keeping_about")}</p>
      <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(240px, 1fr))", gap: 16 }}>
        {RULES.map((name) => (
          <Field key={name} id={name} label={t(`data.${name}`)}>
            <InputNumber id={name} min={1} max={3650} precision={0} suffix={t("data.days")} style={{ width: "100%" }} disabled={!may("store:write")} value={changes[name] ?? known[name] ?? null} onChange={(value) => value !== null && setChanges({ ...changes, [name]: value })} />
          </Field>
        ))}
      </div>
      <SaveBar dirty={RULES.some((name) => changes[name] !== undefined && changes[name] !== known[name])} saving={put.isPending} error={put.error} onSave={save} onDiscard={discard} />
    </Card>
  );
}

function Leaving() {
  const t = useWords("settings");
  const say = useSay("settings");
  const leaving = useLeaving();
  const leave = useLeave();
  const stay = useStay();
  const [asking, setAsking] = useState(false);
  const isLeaving = leaving.data?.state === "asked";
  return (
    <Card title={t("leave")}>
      {leaving.isError && <ProblemNote error={leaving.error} />}
      {isLeaving && leaving.data ? (
        <Alert
          type="error" showIcon title={<>{t("leave.under_way")} <Moment at={leaving.data.delete_at} exact /></>}
          action={<Button size="small" loading={stay.isPending} onClick={() => void stay.mutateAsync().then(() => say.done(t("leave.stays")), say.problem)}>{t("leave.stay")}</Button>}
        />
      ) : (
        <>
          <p className="muted" style={{ marginTop: 0 }}>{t("leave.about")}</p>
          <Can permission="store:write"><Button danger onClick={() => setAsking(true)}>{t("leave.ask")}</Button></Can>
        </>
      )}
      <FormDrawer<{ password: string }> open={asking} onClose={() => setAsking(false)} onSubmit={({ password }) => leave.mutateAsync(password)} title={t("leave.ask")} ok={t("leave.ok")} noun="settings">
        <Alert type="error" showIcon title={t("leave.warning")} style={{ marginBottom: 16 }} />
        <Form.Item name="password" label={t("leave.password")} rules={[{ required: true, message: t("leave.password") }]}>
          <Input.Password autoComplete="current-password" maxLength={256} />
        </Form.Item>
      </FormDrawer>
    </Card>
  );
}
