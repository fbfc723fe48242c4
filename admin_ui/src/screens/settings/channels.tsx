import { PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Form, Input, Skeleton, Switch, Tag } from "antd";
import { useState } from "react";
import { useChannels, usePutChannel, type Channel } from "@/api/store";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, CopyButton, FormDrawer, ProblemNote, useSay } from "@/ui";
import { SettingsPage } from "./parts";

type Wish = { code: string; name: string };

export default function Channels() {
  const t = useWords("settings");
  const channels = useChannels();
  const put = usePutChannel();
  const [draft, setDraft] = useState<Channel | "new" | null>(null);
  const one = draft === "new" || draft === null ? null : draft;
  const send = ({ code, name }: Wish) => put.mutateAsync({ code: one?.code ?? code, name: name.trim(), is_enabled: one?.is_enabled ?? true });
  const primary = (
    <Can permission="store:write">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setDraft("new")}>{t("channel.add")}</Button>
    </Can>
  );
  return (
    <SettingsPage primary={primary}>
      <div className="stack">
        <Alert type="info" showIcon title={t("channel.about")} />
        {channels.isError && <ProblemNote error={channels.error} />}
        {channels.isPending && <Skeleton active />}
        {channels.data?.map((channel) => <One key={channel.code} channel={channel} onEdit={() => setDraft(channel)} />)}
      </div>
      <FormDrawer<Wish> key={one?.code ?? "new"} open={draft !== null} onClose={() => setDraft(null)} onSubmit={send} title={t(one === null ? "channel.add" : "channel.edit")} ok={t("save")} noun="settings" initial={{ code: one?.code ?? "", name: one?.name ?? "" }}>
        <Form.Item name="name" label={t("channel.name")} rules={[{ required: true, whitespace: true, message: t("channel.name_missing") }]}>
          <Input maxLength={80} />
        </Form.Item>
        <Form.Item name="code" label={t("channel.code")} extra={t("channel.code_about")} rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{0,14}$/, message: t("channel.code_wrong") }]}>
          <Input maxLength={15} disabled={one !== null} />
        </Form.Item>
      </FormDrawer>
    </SettingsPage>
  );
}

function One({ channel, onEdit }: { channel: Channel; onEdit: () => void }) {
  const t = useWords("settings");
  const say = useSay("settings");
  const may = useMay();
  const { store } = useSession();
  const put = usePutChannel();
  const link = `${store.url}?channel=${channel.code}`;
  const toggle = (on: boolean) => void put.mutateAsync({ code: channel.code, name: channel.name, is_enabled: on }).then(() => say.done(t("saved")), say.problem);
  return (
    <Card size="small">
      <div className="row" style={{ justifyContent: "space-between" }}>
        <span className="row">
          <strong>{channel.name}</strong> <code>{channel.code}</code> {channel.is_built_in && <Tag>{t("channel.built_in")}</Tag>}
        </span>
        <span className="row">
          <span className="copy-id"><span>{link}</span><CopyButton text={link} label={t("channel.link")} /></span>
          <Can permission="store:write"><Button size="small" onClick={onEdit}>{t("edit")}</Button></Can>
          <Switch checked={channel.is_enabled} loading={put.isPending} disabled={!may("store:write")} onChange={toggle} aria-label={t("channel.on", { name: channel.name })} />
        </span>
      </div>
    </Card>
  );
}
