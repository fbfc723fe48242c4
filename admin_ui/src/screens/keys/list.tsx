import { KeyOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, DatePicker, Form, Input, Select } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { keyPages, keyState, useCreateKey, useRevokeKey, useRotateKey, type ApiKey } from "@/api/keys";
import { useWords } from "@/shell/words";
import { CopyId, Empty, FormDrawer, ListTable, Moment, Page, SecretModal, State, useConfirm, useSay, type Column } from "@/ui";
import { PermissionChoice, PermissionList } from "@/ui/permissions";

export default function Keys() {
  const t = useWords("keys");
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<ApiKey | null>(null);
  const [secret, setSecret] = useState("");
  const primary = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t("new")}
    </Button>
  );
  const columns: Column<ApiKey>[] = [
    { key: "name", title: t("name"), render: (key) => <strong style={{ fontWeight: 500 }}>{key.name}</strong> },
    { key: "state", title: t("state"), phone: "head", render: (key) => <State kind="key" value={keyState(key)} /> },
    { key: "prefix", title: t("prefix"), render: (key) => <code>{key.prefix === null ? "–" : `${key.prefix}…`}</code> },
    { key: "count", title: t("scopes"), render: (key) => t("count", { n: key.scopes.length }) },
    { key: "used", title: t("used"), render: (key) => <Moment at={key.last_used_at} /> },
    { key: "made", title: t("made"), render: (key) => <Moment at={key.created_at} /> },
    { key: "by", title: t("by"), optional: true, render: (key) => (key.made_by === null ? "–" : <CopyId id={key.made_by} />) },
    { key: "expires", title: t("expires"), render: (key) => <Moment at={key.expires_at} none={t("expires.never")} /> },
    { key: "id", title: "ID", optional: true, render: (key) => <CopyId id={key.id} /> },
    { key: "acts", title: "", always: true, align: "right", render: (key) => <Acts apiKey={key} onRotate={() => setRotating(key)} /> },
  ];
  return (
    <Page title={t("title")} about={t("about")} primary={primary}>
      <ListTable
        id="keys" columns={columns} pages={keyPages} rowKey={(key) => key.id} expanded={(key) => <PermissionList permissions={key.scopes} />}
        empty={<Empty picture={<KeyOutlined />} title={t("empty")} text={t("empty_text")} action={primary} />}
      />
      <NewKey open={making} onClose={() => setMaking(false)} onMade={setSecret} />
      <Rotate apiKey={rotating} onClose={() => setRotating(null)} onMade={setSecret} />
      {secret !== "" && <SecretModal title={t("secret")} secret={secret} onClose={() => setSecret("")} />}
    </Page>
  );
}

function Acts({ apiKey, onRotate }: { apiKey: ApiKey; onRotate: () => void }) {
  const t = useWords("keys");
  const say = useSay("keys");
  const confirm = useConfirm("keys");
  const revoke = useRevokeKey();
  if (keyState(apiKey) === "revoked" || keyState(apiKey) === "expired") return null;
  const ask = () =>
    confirm({
      title: t("revoke.title", { name: apiKey.name }), text: t("revoke.text"), ok: t("revoke"), danger: true,
      act: async () => {
        await revoke.mutateAsync(apiKey.id);
        say.done(t("revoke.done"));
      },
    });
  return (
    <>
      <Button type="link" size="small" onClick={onRotate}>
        {t("rotate")}
      </Button>
      <Button type="link" size="small" danger onClick={ask}>
        {t("revoke")}
      </Button>
    </>
  );
}

interface Making {
  onClose: () => void;
  onMade: (secret: string) => void;
}

function NewKey({ open, onClose, onMade }: Making & { open: boolean }) {
  const t = useWords("keys");
  const create = useCreateKey();
  const send = async ({ name, scopes, expires }: { name: string; scopes: string[]; expires?: Dayjs }) => {
    const made = await create.mutateAsync({ name: name.trim(), scopes, expires_at: expires?.endOf("day").toISOString() ?? null });
    onMade(made.key);
  };
  return (
    <FormDrawer open={open} onClose={onClose} onSubmit={send} title={t("new")} ok={t("create")} noun="keys" size={560} initial={{ scopes: [] }}>
      <Form.Item name="name" label={t("name")} extra={t("name.about")} rules={[{ required: true, whitespace: true, message: t("name.missing") }]}>
        <Input maxLength={80} />
      </Form.Item>
      <Form.Item name="expires" label={t("expires")} extra={t("expires.about")}>
        <DatePicker style={{ width: "100%" }} disabledDate={(day) => day.isBefore(new Date(), "day")} />
      </Form.Item>
      <Form.Item name="scopes" label={t("scopes")} rules={[{ required: true, type: "array", min: 1, message: t("scopes.missing") }]}>
        <PermissionChoice />
      </Form.Item>
    </FormDrawer>
  );
}

const OVERLAPS_S = [0, 3600, 24 * 3600, 7 * 24 * 3600];

function Rotate({ apiKey, onClose, onMade }: Making & { apiKey: ApiKey | null }) {
  const t = useWords("keys");
  const rotate = useRotateKey();
  const send = async ({ overlap_s }: { overlap_s: number }) => {
    if (apiKey !== null) onMade((await rotate.mutateAsync({ id: apiKey.id, overlap_s })).key);
  };
  return (
    <FormDrawer key={apiKey?.id} open={apiKey !== null} onClose={onClose} onSubmit={send} title={t("rotate.title", { name: apiKey?.name ?? "" })} ok={t("rotate")} noun="keys" initial={{ overlap_s: 24 * 3600 }}>
      <p className="muted" style={{ marginTop: 0 }}>{t("rotate.about")}</p>
      <Form.Item name="overlap_s" label={t("rotate.overlap")}>
        <Select options={OVERLAPS_S.map((value) => ({ value, label: t(`overlap.${value}`) }))} />
      </Form.Item>
    </FormDrawer>
  );
}
