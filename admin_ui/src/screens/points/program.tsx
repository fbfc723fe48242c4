import { Card, InputNumber, Select, Switch } from "antd";
import { useState } from "react";
import { useProgram, usePutProgram, type NewProgram, type Program } from "@/api/points";
import { queries } from "@/api/query";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Page, ProblemNote, SaveBar, useSay } from "@/ui";
import { Field } from "../settings/parts";
import { Levels } from "./levels";
import { perUnit } from "./rates";

export default function PointsProgram() {
  const t = useWords("points");
  const read = useProgram();
  return (
    <Page title={t("title")}>
      {read.isError && <ProblemNote error={read.error} noun="points" />}
      {read.isPending && <Card loading />}
      {read.data && <Draft etag={read.data.etag} kept={read.data.value} />}
    </Page>
  );
}

function Draft({ etag, kept }: { etag: string; kept: Program }) {
  const t = useWords("points");
  const say = useSay("points");
  const { store } = useSession();
  const disabled = !useMay()("points:write");
  const put = usePutProgram();
  // Only what was typed is kept here: when somebody else saved first it stays, beside what is new.
  const [changes, setChanges] = useState<Partial<NewProgram>>({});
  const draft: NewProgram = { ...kept, ...changes };
  const set = (more: Partial<NewProgram>) => setChanges((was) => ({ ...was, ...more }));
  const discard = () => {
    setChanges({});
    put.reset();
  };
  const saved = () => {
    discard();
    say.done(t("saved"));
  };
  const save = () => put.mutate({ etag, program: draft }, { onSuccess: saved });
  const reload = () => void queries.invalidateQueries({ queryKey: ["points"] }).then(() => put.reset());
  const count = (name: "sign_in_points" | "hold_days" | "expiry_count" | "grace_days", min = 0) => (
    <InputNumber id={name} aria-label={t(`field.${name}`)} min={min} precision={0} disabled={disabled} value={draft[name] ?? min} onChange={(value) => set({ [name]: value ?? min })} />
  );
  const rate = (points: "earn_points" | "growth_points", minor: "earn_minor" | "growth_minor") => (
    <div className="row">
      <span>{t("rate.for")}</span>
      <InputNumber
        aria-label={t("rate.money")} prefix={store.currency} min={perUnit.least(store.currency)} disabled={disabled}
        value={perUnit.shown(draft[minor] ?? 100, store.currency)} onChange={(value) => set({ [minor]: perUnit.minor(value ?? 1, store.currency) })}
      />
      <span>{t("rate.gives")}</span>
      <InputNumber id={points} min={0} precision={0} disabled={disabled} value={draft[points] ?? 0} onChange={(value) => set({ [points]: value ?? 0 })} />
    </div>
  );
  return (
    <div className="stack">
      <Card size="small">
        <div className="row">
          <Switch id="enabled" disabled={disabled} checked={draft.enabled ?? false} onChange={(enabled) => set({ enabled })} />
          <label htmlFor="enabled"><strong>{t("enabled")}</strong></label>
          <span className="muted">{t("about.enabled")}</span>
        </div>
      </Card>
      <Card size="small" title={t("section.points")}>
        <div className="stack" style={{ maxWidth: 620 }}>
          <Field id="earn_points" label={t("field.earn")} about={t("about.earn")}>{rate("earn_points", "earn_minor")}</Field>
          <Field id="hold_days" label={t("field.hold_days")} about={t("about.hold_days")}>{count("hold_days")}</Field>
          <Field id="expiry" label={t("field.expiry")} about={t(`about.expiry.${draft.expiry ?? "never"}`)}>
            <div className="row">
              <Select
                id="expiry" style={{ minWidth: 220 }} disabled={disabled} value={draft.expiry ?? "never"} onChange={(expiry) => set({ expiry })}
                options={(["never", "days", "month_end"] as const).map((value) => ({ value, label: t(`expiry.${value}`) }))}
              />
              {draft.expiry !== "never" && count("expiry_count", 1)}
            </div>
          </Field>
          <Field id="sign_in_points" label={t("field.sign_in_points")} about={t("about.sign_in_points")}>{count("sign_in_points")}</Field>
        </div>
      </Card>
      <Card size="small" title={t("section.growth")}>
        <div className="stack" style={{ maxWidth: 620 }}>
          <Field id="growth_points" label={t("field.growth")} about={t("about.growth")}>{rate("growth_points", "growth_minor")}</Field>
          <Field id="period_days" label={t("field.period_days")} about={t("about.period_days")}>
            <InputNumber id="period_days" min={1} max={3650} precision={0} disabled={disabled} placeholder={t("for_ever")} value={draft.period_days ?? null} onChange={(value) => set({ period_days: value })} />
          </Field>
          {draft.period_days != null && <Field id="grace_days" label={t("field.grace_days")} about={t("about.grace_days")}>{count("grace_days")}</Field>}
        </div>
      </Card>
      <Levels levels={draft.levels ?? []} disabled={disabled} onChange={(levels) => set({ levels })} />
      <SaveBar dirty={JSON.stringify(draft) !== JSON.stringify(kept)} saving={put.isPending} error={put.error} onSave={save} onDiscard={discard} onReload={reload} noun="points" />
    </div>
  );
}
