import { PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Form, Input, Skeleton, Tag } from "antd";
import { useState } from "react";
import { useAccounts, useConnect, useOpenTestAccount, useRotate, useSwitchAccount, type Account, type Credentials } from "../../api/payments";
import { useMay, useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { CopyButton, CopyId } from "../../ui/copy_id";
import { Empty } from "../../ui/empty";
import { FormDrawer } from "../../ui/form_drawer";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { FIELDS, pasted } from "./credentials";

/** The store's accounts at payment providers. */
export function Accounts() {
  const t = useWords("payments");
  const may = useMay();
  const { mode } = useSession();
  const { data, isPending, isError, error } = useAccounts();
  const [connecting, setConnecting] = useState(false);
  const [rotating, setRotating] = useState<Account | null>(null);
  const connect = may("payments:write") && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setConnecting(true)}>
      {t("connect")}
    </Button>
  );
  if (isPending) return <Skeleton active />;
  if (isError) return <ProblemNote error={error} noun="payments" />;
  return (
    <div className="stack">
      {mode === "test" && <TestAccount isThere={data.length > 0} />}
      {data.length === 0 ? (
        <Empty title={t("accounts.empty.title")} text={t("accounts.empty.text")} action={connect} />
      ) : (
        <>
          <div>{connect}</div>
          {data.map((account) => (
            <One key={account.id} account={account} onRotate={() => setRotating(account)} />
          ))}
        </>
      )}
      <CredentialsDrawer open={connecting} onClose={() => setConnecting(false)} />
      {rotating !== null && <CredentialsDrawer open account={rotating} onClose={() => setRotating(null)} />}
    </div>
  );
}

/** In test mode an account at the provider without money is opened with one click. */
function TestAccount({ isThere }: { isThere: boolean }) {
  const t = useWords("payments");
  const may = useMay();
  const say = useSay("payments");
  const open = useOpenTestAccount();
  const go = () => open.mutate(undefined, { onSuccess: () => say.done(t("connect.done")), onError: say.problem });
  const button = !isThere && may("payments:write") && (
    <Button size="small" type="primary" loading={open.isPending} onClick={go}>
      {t("test.open")}
    </Button>
  );
  return <Alert type="info" showIcon title={t("test.about")} action={button} />;
}

function One({ account, onRotate }: { account: Account; onRotate: () => void }) {
  const t = useWords("payments");
  const may = useMay();
  const say = useSay("payments");
  const confirm = useConfirm("payments");
  const change = useSwitchAccount();
  const isOn = account.state === "active";
  const turn = () =>
    isOn
      ? confirm({ title: t("off.title", { mch_id: account.mch_id }), text: t("off.text"), ok: t("off"), danger: true, act: () => change.mutateAsync({ id: account.id, active: false }) })
      : change.mutate({ id: account.id, active: true }, { onSuccess: () => say.done(t("on.done")), onError: say.problem });
  return (
    <Card size="small">
      <div className="row">
        <strong>{t(`provider.${account.provider}`)}</strong>
        <span className="number">{account.mch_id}</span>
        <Tag color={isOn ? "success" : "default"}>{t(isOn ? "state.active" : "state.disabled")}</Tag>
        <CopyId id={account.id} />
        {may("payments:write") && (
          <span className="row" style={{ marginInlineStart: "auto" }}>
            <Button size="small" onClick={onRotate}>
              {t("rotate")}
            </Button>
            <Button size="small" danger={isOn} onClick={turn}>
              {t(isOn ? "off" : "on")}
            </Button>
          </span>
        )}
      </div>
      <div className="row muted" style={{ marginTop: 8, flexWrap: "nowrap" }}>
        <span style={{ whiteSpace: "nowrap" }}>{t("notify_url")}</span>
        <code style={{ overflowWrap: "anywhere" }}>{account.notify_url}</code>
        <CopyButton text={account.notify_url} label={t("notify_url")} />
      </div>
    </Card>
  );
}

/** New credentials, or others for an account. They are sealed at once and never shown again. */
function CredentialsDrawer({ open, account, onClose }: { open: boolean; account?: Account; onClose: () => void }) {
  const t = useWords("payments");
  const say = useSay("payments");
  const connect = useConnect();
  const rotate = useRotate();
  const [unread, setUnread] = useState(false);
  const send = async (values: Credentials & { paste?: string }) => {
    const { paste: _, ...credentials } = values;
    if (account === undefined) await connect.mutateAsync(credentials);
    else await rotate.mutateAsync({ id: account.id, credentials });
    say.done(t(account === undefined ? "connect.done" : "rotate.done"));
  };
  return (
    <FormDrawer<Credentials & { paste?: string }>
      open={open} title={account === undefined ? t("connect") : t("rotate.title", { mch_id: account.mch_id })} ok={t(account === undefined ? "connect.ok" : "rotate.ok")}
      onSubmit={send} onClose={onClose} noun="payments" size={520} {...(account ? { initial: { mch_id: account.mch_id } } : {})}
    >
      {(form) => (
        <>
          <p className="muted">{t(account === undefined ? "connect.about" : "rotate.about")}</p>
          <Form.Item name="paste" label={t("paste")} extra={unread ? <span role="alert">{t("paste.unread")}</span> : t("paste.about")}>
            <Input.TextArea
              rows={2} autoComplete="off"
              onChange={(event) => {
                const found = pasted(event.target.value);
                setUnread(found === null && event.target.value.trim() !== "");
                if (found !== null) form.setFieldsValue(account === undefined ? found : { ...found, mch_id: account.mch_id });
              }}
            />
          </Form.Item>
          {FIELDS.map((name) => (
            <Form.Item key={name} name={name} label={t(`field.${name}`)} rules={[{ required: true, whitespace: true }]}>
              {name.endsWith("_pem") ? (
                <Input.TextArea rows={3} autoComplete="off" spellCheck={false} />
              ) : name === "api_v3_key" ? (
                <Input.Password autoComplete="new-password" />
              ) : (
                <Input autoComplete="off" disabled={name === "mch_id" && account !== undefined} />
              )}
            </Form.Item>
          ))}
        </>
      )}
    </FormDrawer>
  );
}
