import { CheckCircleFilled, ExportOutlined } from "@ant-design/icons";
import { Button, Card, Progress, Segmented, Skeleton } from "antd";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { useAddSample, useFacts, useSampleSale, useTestAccount, useTestStore } from "@/api/setup";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { ProblemNote, useSay } from "@/ui";

interface Step {
  key: string;
  done: boolean;
  /** What does it, or leads to where it is done. Not shown once it is done. */
  act?: ReactNode;
}

const HIDDEN = "tessera.guide";

/** From an empty store to the first sale: first tried out with samples and test payments, then for real. */
export default function Guide() {
  const t = useWords("setup");
  const may = useMay();
  const { has_sandbox: hasSandbox, who } = useSession();
  const facts = useFacts(hasSandbox, may);
  const trial = useTrialSteps(facts.data?.test);
  const [part, setPart] = useState<"trial" | "real" | null>(null);
  const hidden = `${HIDDEN}.${who.id}`;
  const [isHidden, setHidden] = useState(() => localStorage.getItem(hidden) === "yes");
  const hide = (yes: boolean) => {
    localStorage.setItem(hidden, yes ? "yes" : "no");
    setHidden(yes);
  };
  if (isHidden) return <Button type="link" style={{ padding: 0 }} onClick={() => hide(false)}>{t("show")}</Button>;
  if (facts.isError) return <Card title={t("title")}><ProblemNote error={facts.error} /></Card>;
  if (facts.data === undefined) return <Card title={t("title")}><Skeleton active /></Card>;
  const { live } = facts.data;
  const to = (path: string, key: string) => <Link to={path}><Button tabIndex={-1}>{t(key)}</Button></Link>;
  const real: Step[] = [
    { key: "dressed", done: live.dressed, act: to("/settings", "dressed.act") },
    { key: "policies", done: live.policies, act: to("/settings/policies", "policies.act") },
    { key: "product", done: live.product, act: to("/products", "product.act") },
    { key: "codes", done: live.codes, act: to("/vault", "codes.act") },
    { key: "qualified", done: live.qualified, act: to("/settings/qualifications", "qualified.act") },
    { key: "second", done: who.totp, act: to("/profile", "second.act") },
    { key: "colleagues", done: live.colleagues, act: to("/staff", "colleagues.act") },
  ];
  const isTried = trial.every((step) => step.done);
  const shown = part ?? (isTried ? "real" : "trial");
  const steps = shown === "trial" ? trial : real;
  const done = steps.filter((step) => step.done).length;
  return (
    <Card
      title={t("title")}
      extra={<Button type="text" size="small" onClick={() => hide(true)}>{t("hide")}</Button>}
    >
      <div className="stack">
        <div className="row" style={{ justifyContent: "space-between" }}>
          <Segmented value={shown} onChange={setPart} options={[{ value: "trial", label: t("trial") }, { value: "real", label: t("real") }]} />
          <span className="row" style={{ minWidth: 200 }}>
            <Progress percent={Math.round((100 * done) / steps.length)} showInfo={false} style={{ width: 120 }} aria-label={t("progress", { done, n: steps.length })} />
            <span className="muted">{t("progress", { done, n: steps.length })}</span>
          </span>
        </div>
        <p className="muted" style={{ margin: 0 }}>{t(`${shown}.about`)}</p>
        <ol style={{ listStyle: "none", margin: 0, padding: 0 }}>
          {steps.map((step, index) => <StepRow key={step.key} step={step} number={index + 1} isNext={steps.findIndex((each) => !each.done) === index} />)}
        </ol>
      </div>
    </Card>
  );
}

function StepRow({ step, number, isNext }: { step: Step; number: number; isNext: boolean }) {
  const t = useWords("setup");
  const mark = step.done ? (
    <CheckCircleFilled style={{ color: "var(--ant-color-success)", fontSize: 22 }} aria-label={t("done")} />
  ) : (
    <span className="number" style={{ display: "grid", placeItems: "center", width: 22, height: 22, borderRadius: "50%", border: "1.5px solid var(--ant-color-border)", fontSize: 12, boxSizing: "border-box" }}>{number}</span>
  );
  return (
    <li data-step={step.key} data-done={step.done} className="row" style={{ padding: "12px 0", borderTop: "1px solid var(--ant-color-border-secondary)", gap: 14, alignItems: "flex-start" }}>
      {mark}
      <div style={{ flex: 1, minWidth: 200 }}>
        <div style={{ fontWeight: isNext ? 600 : 500 }}>{t(`${step.key}.title`)}</div>
        {(isNext || !step.done) && <div className="muted">{t(`${step.key}.text`)}</div>}
      </div>
      {!step.done && step.act}
    </li>
  );
}

function useTrialSteps(facts: { product: boolean; account: boolean; sale: string | null; delivered: boolean } | undefined): Step[] {
  const t = useWords("setup");
  const say = useSay("setup");
  const { store, has_sandbox: hasSandbox } = useSession();
  const sample = useAddSample();
  const account = useTestAccount();
  const sale = useSampleSale();
  const address = useTestStore(hasSandbox);
  if (facts === undefined) return [];
  const run = (wish: Promise<unknown>) => void wish.catch(say.problem);
  const primary = (key: string, isNext: boolean, busy: boolean, act: () => void) => (
    <Button type={isNext ? "primary" : "default"} disabled={!isNext} loading={busy} onClick={act}>{t(key)}</Button>
  );
  const words = { product: t("sample.product"), sku: t("sample.sku"), note: t("sample.note"), currency: store.currency };
  return [
    { key: "sample", done: facts.product, act: primary("sample.act", true, sample.isPending, () => run(sample.mutateAsync(words))) },
    { key: "account", done: facts.account, act: primary("account.act", facts.product, account.isPending, () => run(account.mutateAsync())) },
    { key: "sale", done: facts.sale !== null, act: primary("sale.act", facts.product && facts.account, sale.isPending, () => run(sale.mutateAsync(t("sample.product")))) },
    {
      key: "buy", done: facts.delivered,
      act: facts.sale !== null && address.data ? <a href={address.data} target="_blank" rel="noreferrer"><Button type="primary" icon={<ExportOutlined />} tabIndex={-1}>{t("buy.act")}</Button></a> : <Button disabled>{t("buy.act")}</Button>,
    },
  ];
}
