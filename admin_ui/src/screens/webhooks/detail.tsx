import { Alert, Button, Card, Descriptions, Dropdown, Tag } from "antd";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useChangeEndpoint, useDeleteEndpoint, useEndpoint, useRedeliverFailed, useRotateSecret, useTestEndpoint, type Endpoint } from "@/api/webhooks";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Moment, Page, ProblemNote, SecretModal, State, useConfirm, useSay } from "@/ui";
import { Deliveries } from "./deliveries";
import { EndpointForm } from "./form";
import { endpointState } from "./list";

const DAY_MS = 24 * 3600 * 1000;

/** One endpoint: how it is, what it is told, and the log of what was sent to it. */
export default function EndpointDetail() {
  const { id = "" } = useParams();
  const t = useWords("webhooks");
  const endpoint = useEndpoint(id);
  if (endpoint.isError) return <Page title={t("title")} back="/webhooks"><ProblemNote error={endpoint.error} /></Page>;
  if (endpoint.data === undefined) return <Page title={t("title")} back="/webhooks"><Card loading /></Page>;
  return <Shown endpoint={endpoint.data} />;
}

function Shown({ endpoint }: { endpoint: Endpoint }) {
  const t = useWords("webhooks");
  const may = useMay();
  const say = useSay("webhooks");
  const test = useTestEndpoint();
  const [editing, setEditing] = useState(false);
  const [secret, setSecret] = useState("");
  const acts = useActs(endpoint, () => setEditing(true), setSecret);
  const result = test.data;
  const send = () => void test.mutateAsync(endpoint.id).catch(say.problem);
  return (
    <Page
      title={<span style={{ overflowWrap: "anywhere" }}>{endpoint.url}</span>} name={endpoint.url} back="/webhooks" extra={<State kind="endpoint" value={endpointState(endpoint)} noun="webhooks" />}
      primary={may("webhooks:write") && <Button type="primary" loading={test.isPending} onClick={send}>{t("test")}</Button>}
      actions={may("webhooks:write") && <Dropdown menu={acts} trigger={["click"]}><Button>{t("more")}</Button></Dropdown>}
    >
      <div className="stack">
        {!endpoint.enabled && <Alert type="error" showIcon title={t(`disabled.${endpoint.disabled_because ?? "merchant"}`)} />}
        {result !== undefined && (
          <Alert
            type={result.succeeded ? "success" : "error"} showIcon closable={{ onClose: test.reset }}
            title={t(result.succeeded ? "test.good" : "test.bad", { status: result.status ?? "–", ms: result.duration_ms })}
            description={result.failure ?? (result.answer === "" ? undefined : <code>{result.answer}</code>)}
          />
        )}
        <Card>
          <Descriptions
            column={{ xs: 1, md: 2 }}
            items={[
              { key: "id", label: "ID", children: <CopyId id={endpoint.id} whole /> },
              { key: "made", label: t("made"), children: <Moment at={endpoint.created_at} /> },
              { key: "events", label: t("events"), children: endpoint.event_types.includes("*") ? t("events.all") : <span className="row" style={{ gap: 4 }}>{endpoint.event_types.map((type) => <Tag key={type}>{type}</Tag>)}</span> },
              ...(endpoint.failing_since === null ? [] : [{ key: "failing", label: t("failing"), children: <Moment at={endpoint.failing_since} /> }]),
              ...(endpoint.next_try_at === null ? [] : [{ key: "next", label: t("next_try"), children: <Moment at={endpoint.next_try_at} /> }]),
              ...(endpoint.description === "" ? [] : [{ key: "description", label: t("description"), children: endpoint.description }]),
            ]}
          />
        </Card>
        <Deliveries endpoint={endpoint.id} />
      </div>
      <EndpointForm open={editing} endpoint={endpoint} onClose={() => setEditing(false)} onSecret={setSecret} />
      {secret !== "" && <SecretModal title={t("secret")} secret={secret} about={t("rotate.both")} onClose={() => setSecret("")} />}
    </Page>
  );
}

function useActs(endpoint: Endpoint, edit: () => void, onSecret: (secret: string) => void) {
  const t = useWords("webhooks");
  const say = useSay("webhooks");
  const confirm = useConfirm("webhooks");
  const navigate = useNavigate();
  const change = useChangeEndpoint();
  const rotate = useRotateSecret();
  const again = useRedeliverFailed();
  const remove = useDeleteEndpoint();
  const items = [
    { key: "edit", label: t("edit") },
    { key: "toggle", label: t(endpoint.enabled ? "disable" : "enable") },
    { key: "rotate", label: t("rotate") },
    { key: "again", label: t("again") },
    { type: "divider" as const },
    { key: "delete", label: t("delete"), danger: true },
  ];
  const acts: Record<string, () => void> = {
    edit,
    toggle: () => void change.mutateAsync({ id: endpoint.id, enabled: !endpoint.enabled }).then(() => say.done(t("saved")), say.problem),
    rotate: () => confirm({ title: t("rotate"), text: t("rotate.text"), ok: t("rotate"), act: async () => onSecret((await rotate.mutateAsync(endpoint.id)).secret) }),
    again: () =>
      confirm({
        title: t("again"), text: t("again.text"), ok: t("again"),
        act: async () => {
          const { deliveries } = await again.mutateAsync({ id: endpoint.id, since: new Date(Date.now() - 7 * DAY_MS).toISOString() });
          say.done(t("again.done", { n: deliveries }));
        },
      }),
    delete: () =>
      confirm({
        title: t("delete.title"), text: t("delete.text"), ok: t("delete"), danger: true,
        act: async () => {
          await remove.mutateAsync(endpoint.id);
          void navigate("/webhooks");
        },
      }),
  };
  return { items, onClick: ({ key }: { key: string }) => acts[key]?.() };
}
