import { GlobalOutlined, PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Form, Input, Skeleton, Tag } from "antd";
import { useState } from "react";
import { useAddDomain, useAddress, useDomains, useMoveStore, usePreferHost, useRemoveDomain, useVerifyDomain, type Domain } from "@/api/store";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, CopyButton, Empty, FormDrawer, Moment, ProblemNote, State, useConfirm, useSay } from "@/ui";
import { SettingsPage } from "./parts";

export default function Domains() {
  const t = useWords("settings");
  const [adding, setAdding] = useState(false);
  const domains = useDomains();
  const add = useAddDomain();
  const primary = (
    <Can permission="store:write">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t("domain.add")}</Button>
    </Can>
  );
  return (
    <SettingsPage primary={primary}>
      <div className="stack">
        <OwnAddress />
        {domains.isError && <ProblemNote error={domains.error} />}
        {domains.isPending && <Skeleton active />}
        {domains.data?.length === 0 && <Card><Empty picture={<GlobalOutlined />} title={t("domain.empty")} text={t("domain.empty_text")} action={primary} /></Card>}
        {domains.data?.map((domain) => <One key={domain.id} domain={domain} />)}
      </div>
      <FormDrawer<{ domain: string }> open={adding} onClose={() => setAdding(false)} onSubmit={({ domain }) => add.mutateAsync(domain.trim())} title={t("domain.add")} ok={t("domain.add")} noun="settings">
        <p className="muted" style={{ marginTop: 0 }}>{t("domain.about")}</p>
        <Form.Item name="domain" label={t("domain")} rules={[{ required: true, whitespace: true, message: t("domain.missing") }]}>
          <Input maxLength={253} placeholder="shop.example.com" inputMode="url" />
        </Form.Item>
      </FormDrawer>
    </SettingsPage>
  );
}

function OwnAddress() {
  const t = useWords("settings");
  const say = useSay("settings");
  const { base_domain: base, store } = useSession();
  const address = useAddress();
  const move = useMoveStore();
  const prefer = usePreferHost();
  const [moving, setMoving] = useState(false);
  if (address.data === undefined) return <Card loading />;
  const { slug, host, primary_host: primary } = address.data;
  return (
    <Card title={t("address")} extra={<Can permission="store:write"><Button onClick={() => setMoving(true)}>{t("address.move")}</Button></Can>}>
      <div className="row">
        <a href={store.url} target="_blank" rel="noreferrer">{host}</a>
        <CopyButton text={host} />
        {primary === host ? <Tag color="success">{t("domain.primary")}</Tag> : <Can permission="store:write"><Button size="small" loading={prefer.isPending} onClick={() => void prefer.mutateAsync(host).then(() => say.done(t("saved")), say.problem)}>{t("domain.prefer")}</Button></Can>}
      </div>
      <FormDrawer<{ slug: string }> open={moving} onClose={() => setMoving(false)} onSubmit={(wish) => move.mutateAsync(wish.slug)} title={t("address.move")} ok={t("address.move")} noun="settings" initial={{ slug }}>
        <Alert type="warning" showIcon title={t("address.move_about")} style={{ marginBottom: 16 }} />
        <Form.Item name="slug" label={t("address")} rules={[{ required: true, pattern: /^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]$/, message: t("address.wrong") }]}>
          <Input maxLength={32} suffix={<span className="muted">.{base}</span>} />
        </Form.Item>
      </FormDrawer>
    </Card>
  );
}

function One({ domain }: { domain: Domain }) {
  const t = useWords("settings");
  const say = useSay("settings");
  const confirm = useConfirm("settings");
  const address = useAddress();
  const verify = useVerifyDomain();
  const prefer = usePreferHost();
  const remove = useRemoveDomain();
  const isPrimary = address.data?.primary_host === domain.domain;
  const drop = () => confirm({ title: t("domain.remove", { domain: domain.domain }), text: t("domain.remove_text"), ok: t("delete"), danger: true, act: () => remove.mutateAsync(domain.id) });
  const records = [
    { type: "TXT", name: domain.proof.name, value: domain.proof.value, why: t("domain.proof") },
    { type: "CNAME", name: domain.domain, value: address.data?.host ?? "", why: t("domain.points") },
  ];
  return (
    <Card
      title={<span className="row"><span style={{ overflowWrap: "anywhere" }}>{domain.domain}</span> <State kind="domain" value={domain.state} noun="settings" /> {isPrimary && <Tag color="success">{t("domain.primary")}</Tag>}</span>}
      extra={
        <Can permission="store:write">
          <span className="row">
            {domain.state !== "active" && <Button size="small" loading={verify.isPending} onClick={() => void verify.mutateAsync(domain.id).then(() => say.done(t("domain.asked")), say.problem)}>{t("domain.verify")}</Button>}
            {domain.state === "active" && !isPrimary && <Button size="small" onClick={() => void prefer.mutateAsync(domain.domain).then(() => say.done(t("saved")), say.problem)}>{t("domain.prefer")}</Button>}
            <Button size="small" danger onClick={drop}>{t("delete")}</Button>
          </span>
        </Can>
      }
    >
      {domain.state !== "active" && (
        <>
          <p style={{ marginTop: 0 }}>{t("domain.how")}</p>
          <div className="stack" style={{ gap: 8 }}>
            {records.map((record) => (
              <div key={record.type} className="secret" style={{ flexWrap: "wrap" }}>
                <span><Tag>{record.type}</Tag>{record.name} <CopyButton text={record.name} /> → {record.value} <CopyButton text={record.value} /></span>
                <span className="muted" style={{ fontFamily: "var(--ant-font-family)" }}>{record.why}</span>
              </div>
            ))}
          </div>
          {domain.problem !== "" && <Alert type="warning" showIcon title={domain.problem} style={{ marginTop: 12 }} />}
        </>
      )}
      <p className="muted" style={{ margin: domain.state === "active" ? 0 : "12px 0 0" }}>
        {t("domain.checked")} <Moment at={domain.checked_at} /> {domain.next_check_at !== null && <>· {t("domain.next")} <Moment at={domain.next_check_at} /></>}
      </p>
    </Card>
  );
}
