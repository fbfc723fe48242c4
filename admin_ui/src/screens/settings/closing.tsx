import { Alert, Card, DatePicker, Input, Switch } from "antd";
import { useWords } from "@/shell/words";
import { inZone, ofZone } from "@/ui";
import { DraftPage, Field } from "./parts";

/** Closed for a while: what visitors are told, and until when. */
export default function Closing() {
  const t = useWords("settings");
  return (
    <DraftPage>
      {({ store, set, disabled }) => (
        <Card>
          <div className="stack" style={{ maxWidth: 560 }}>
            {store.closed && <Alert type="warning" showIcon title={t("closed.now")} description={t("closed.now_text")} />}
            <Field id="closed" label={t("field.closed")} about={t("about.closed")}>
              <Switch
                id="closed" checked={store.closed} disabled={disabled} style={{ alignSelf: "start" }}
                onChange={(value) => set("closed", value)}
              />
            </Field>
            <Field id="closed_notice" label={t("field.closed_notice")} about={t("about.closed_notice")}>
              <Input.TextArea
                id="closed_notice" value={store.closed_notice} maxLength={500} showCount rows={4} disabled={disabled}
                onChange={(event) => set("closed_notice", event.target.value)}
              />
            </Field>
            <Field id="opens_at" label={t("field.opens_at")} about={t("about.opens_at", { zone: store.zone })}>
              <DatePicker
                id="opens_at" showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" disabled={disabled} placeholder={t("closed.no_moment")}
                value={ofZone(store.opens_at, store.zone)}
                onChange={(picked) => set("opens_at", inZone(picked, store.zone)?.toISOString() ?? null)}
              />
            </Field>
          </div>
        </Card>
      )}
    </DraftPage>
  );
}
