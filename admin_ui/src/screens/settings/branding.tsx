import { DeleteOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Card, ColorPicker, Input, Upload } from "antd";
import { useDeleteImage, usePutImage, type ImageKind, type StoreChange } from "@/api/store";
import { useWords } from "@/shell/words";
import { StoreImage, useConfirm, useSay } from "@/ui";
import { DraftPage, Field, type Draft } from "./parts";
import { Preview } from "./preview";

export default function Branding() {
  return (
    <DraftPage>
      {(draft) => (
        <div className="sections">
          <div className="stack">
            <Names draft={draft} />
            <Colours draft={draft} />
            <Pictures draft={draft} />
          </div>
          <Preview store={draft.store} />
        </div>
      )}
    </DraftPage>
  );
}

type TextName = "name" | "contact" | "banner" | "notice" | "footer" | "seo_title" | "seo_description";

function TextField({ draft, name, max, rows }: { draft: Draft; name: TextName; max: number; rows?: number }) {
  const t = useWords("settings");
  const shared = { id: name, value: draft.store[name], maxLength: max, showCount: true, disabled: draft.disabled, onChange: (event: { target: { value: string } }) => draft.set(name, event.target.value) };
  return (
    <Field id={name} label={t(`field.${name}`)} about={t(`about.${name}`)}>
      {rows === undefined ? <Input {...shared} /> : <Input.TextArea {...shared} rows={rows} />}
    </Field>
  );
}

function Names({ draft }: { draft: Draft }) {
  const t = useWords("settings");
  return (
    <>
      <Card title={t("group.store")}>
        <div className="stack">
          <TextField draft={draft} name="name" max={80} />
          <TextField draft={draft} name="contact" max={254} />
          <TextField draft={draft} name="banner" max={200} />
          <TextField draft={draft} name="notice" max={500} rows={2} />
          <TextField draft={draft} name="footer" max={500} rows={2} />
        </div>
      </Card>
      <Card title={t("group.search")}>
        <div className="stack">
          <TextField draft={draft} name="seo_title" max={70} />
          <TextField draft={draft} name="seo_description" max={300} rows={2} />
        </div>
      </Card>
    </>
  );
}

const COLOURS = ["primary_color", "primary_color_dark", "accent_color", "accent_color_dark"] as const satisfies (keyof StoreChange)[];

function Colours({ draft }: { draft: Draft }) {
  const t = useWords("settings");
  return (
    <Card title={t("group.colours")}>
      <p className="muted" style={{ marginTop: 0 }}>{t("about.colours")}</p>
      <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(200px, 1fr))", gap: 16 }}>
        {COLOURS.map((name) => (
          <Field key={name} label={t(`field.${name}`)}>
            <ColorPicker
              value={draft.store[name]} disabled={draft.disabled} disabledAlpha allowClear showText format="hex" aria-label={t(`field.${name}`)}
              onChangeComplete={(colour) => draft.set(name, colour.cleared ? null : colour.toHexString().slice(0, 7).toLowerCase())} onClear={() => draft.set(name, null)}
            />
          </Field>
        ))}
      </div>
    </Card>
  );
}

const KINDS: ImageKind[] = ["logo", "banner", "favicon"];

/** Pictures are saved as they are chosen: they are no part of the draft. */
function Pictures({ draft }: { draft: Draft }) {
  const t = useWords("settings");
  const say = useSay("settings");
  const confirm = useConfirm("settings");
  const put = usePutImage();
  const remove = useDeleteImage();
  const drop = (kind: ImageKind) => confirm({ title: t("picture.remove", { what: t(`picture.${kind}`) }), text: t("picture.remove_text"), ok: t("delete"), danger: true, act: () => remove.mutateAsync(kind) });
  return (
    <Card title={t("group.pictures")}>
      <div className="stack">
        {KINDS.map((kind) => {
          const image = draft.store.images[kind];
          return (
            <div key={kind} className="row" style={{ gap: 16 }}>
              <div style={{ width: 96, height: 56, display: "grid", placeItems: "center", border: "1px dashed var(--ant-color-border)", borderRadius: 6, overflow: "hidden" }}>
                {image ? <StoreImage path={image.path} alt={t(`picture.${kind}`)} style={{ maxWidth: "100%", maxHeight: "100%" }} /> : <span className="muted">{t("none")}</span>}
              </div>
              <div style={{ flex: 1, minWidth: 180 }}>
                <div style={{ fontWeight: 500 }}>{t(`picture.${kind}`)}</div>
                <div className="muted" style={{ fontSize: 13 }}>{t(`picture.${kind}.about`)}</div>
              </div>
              <Upload
                accept="image/png,image/jpeg,image/webp" showUploadList={false} disabled={draft.disabled}
                beforeUpload={(file) => {
                  void put.mutateAsync({ kind, file }).then(() => say.done(t("saved")), say.problem);
                  return false;
                }}
              >
                <Button icon={<UploadOutlined />} loading={put.isPending && put.variables.kind === kind} disabled={draft.disabled}>{t("picture.choose")}</Button>
              </Upload>
              {image && <Button icon={<DeleteOutlined />} danger type="text" disabled={draft.disabled} onClick={() => drop(kind)} aria-label={t("picture.remove", { what: t(`picture.${kind}`) })} />}
            </div>
          );
        })}
      </div>
    </Card>
  );
}
