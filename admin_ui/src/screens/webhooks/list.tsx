import { ApiOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { endpointPages, type Endpoint } from "@/api/webhooks";
import { useWords } from "@/shell/words";
import { Can, CopyId, Empty, ListTable, Moment, Page, SecretModal, State, type Column } from "@/ui";
import { EndpointForm } from "./form";

export function endpointState(endpoint: Endpoint): "enabled" | "failing" | "disabled" {
  if (!endpoint.enabled) return "disabled";
  return endpoint.failing_since === null ? "enabled" : "failing";
}

export default function Webhooks() {
  const t = useWords("webhooks");
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  const primary = (
    <Can permission="webhooks:write">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
        {t("new")}
      </Button>
    </Can>
  );
  const columns: Column<Endpoint>[] = [
    { key: "url", title: t("url"), render: (endpoint) => <span style={{ overflowWrap: "anywhere" }}>{endpoint.url}</span> },
    { key: "state", title: t("state"), phone: "head", render: (endpoint) => <State kind="endpoint" value={endpointState(endpoint)} noun="webhooks" /> },
    { key: "events", title: t("events"), render: (endpoint) => (endpoint.event_types.includes("*") ? t("events.all") : t("events.count", { n: endpoint.event_types.length })) },
    { key: "description", title: t("description"), optional: true, render: (endpoint) => endpoint.description },
    { key: "made", title: t("made"), render: (endpoint) => <Moment at={endpoint.created_at} /> },
    { key: "id", title: "ID", optional: true, render: (endpoint) => <CopyId id={endpoint.id} /> },
  ];
  return (
    <Page title={t("title")} about={t("about")} primary={primary}>
      <ListTable
        id="webhooks" columns={columns} pages={endpointPages} rowKey={(endpoint) => endpoint.id} onOpen={(endpoint) => void navigate(`/webhooks/${endpoint.id}`)}
        empty={<Empty picture={<ApiOutlined />} title={t("empty")} text={t("empty_text")} action={primary} />}
      />
      <EndpointForm open={making} endpoint={null} onClose={() => setMaking(false)} onSecret={setSecret} />
      {secret !== "" && <SecretModal title={t("secret")} secret={secret} about={t("secret.about")} onClose={() => setSecret("")} />}
    </Page>
  );
}
