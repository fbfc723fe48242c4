import { Card, Input } from "antd";
import { useWords } from "@/shell/words";
import { DraftPage, Field } from "./parts";

const POLICIES = ["refund_policy", "privacy_policy", "terms"] as const;

export default function Policies() {
  const t = useWords("settings");
  return (
    <DraftPage>
      {(draft) => (
        <Card>
          <p className="muted" style={{ marginTop: 0 }}>{t("about.policies")}</p>
          <div className="stack">
            {POLICIES.map((name) => (
              <Field key={name} id={name} label={t(`field.${name}`)} about={t(`about.${name}`)}>
                <Input.TextArea id={name} value={draft.store[name]} maxLength={10_000} showCount disabled={draft.disabled} rows={8} onChange={(event) => draft.set(name, event.target.value)} />
              </Field>
            ))}
          </div>
        </Card>
      )}
    </DraftPage>
  );
}
