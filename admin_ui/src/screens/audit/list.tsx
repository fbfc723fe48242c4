import { AuditOutlined, DownloadOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Dropdown, Tag } from "antd";
import { useState } from "react";
import { auditPages, exportAudit, type Entry } from "@/api/audit";
import { everyPage } from "@/api/query";
import { staffPages } from "@/api/staff";
import { useMay, useSession } from "@/shell/session";
import { useHasWord, useWords } from "@/shell/words";
import { CopyId, Empty, FilterRow, FilterText, FilterTime, ListTable, Moment, Page, shortId, useSay, useUrlFilters, type Column } from "@/ui";
import { save } from "@/ui/save_file";

/** Who did what. Entries cannot be changed: each holds a fingerprint of the one before it. */
export default function Audit() {
  const t = useWords("audit");
  const has = useHasWord("audit");
  const say = useSay("audit");
  const { store } = useSession();
  const nameOf = useActorNames();
  const filters = useUrlFilters(["actor", "action", "subject", "since", "until"] as const);
  const [busy, setBusy] = useState(false);
  const download = (kind: "csv" | "jsonl") => {
    setBusy(true);
    exportAudit(filters.values, kind)
      .then((blob) => save(blob, `audit-${store.slug}.${kind}`), say.problem)
      .finally(() => setBusy(false));
  };
  const columns: Column<Entry>[] = [
    { key: "at", title: t("at"), render: (entry) => <Moment at={entry.at} /> },
    { key: "actor", title: t("actor"), render: (entry) => <ActorName name={nameOf(entry.actor)} onPick={() => filters.set({ actor: entry.actor })} /> },
    {
      key: "action", title: t("action"), phone: "head",
      render: (entry) => (
        <Tag style={{ cursor: "pointer" }} title={entry.action} onClick={() => filters.set({ action: entry.action })}>
          {has(`act.${entry.action}`) ? t(`act.${entry.action}`) : entry.action}
        </Tag>
      ),
    },
    { key: "subject", title: t("subject"), render: (entry) => <CopyId id={entry.subject} /> },
    { key: "id", title: "ID", optional: true, render: (entry) => <CopyId id={entry.id} /> },
  ];
  const items = [
    { key: "csv", label: "CSV" },
    { key: "jsonl", label: "JSON Lines" },
  ];
  return (
    <Page title={t("title")} about={t("about")}>
      <ListTable
        id="audit" columns={columns} pages={auditPages(filters.values)} rowKey={(entry) => entry.id} filtered={filters.any} onClear={filters.clear} limit={50}
        expanded={(entry) => <pre style={{ margin: 0, whiteSpace: "pre-wrap", fontSize: 12.5 }}>{JSON.stringify(entry.detail, null, 2)}</pre>}
        filters={
          <FilterRow filters={filters}>
            <FilterText filters={filters} name="actor" label={t("filter.actor")} width={200} />
            <FilterText filters={filters} name="action" label={t("filter.action")} width={180} />
            <FilterText filters={filters} name="subject" label={t("filter.subject")} width={200} />
            <FilterTime filters={filters} since="since" until="until" />
          </FilterRow>
        }
        tools={
          <Dropdown menu={{ items, onClick: ({ key }) => download(key as "csv" | "jsonl") }} trigger={["click"]}>
            <Button icon={<DownloadOutlined />} loading={busy}>{t("export")}</Button>
          </Dropdown>
        }
        empty={<Empty picture={<AuditOutlined />} title={t("empty")} text={t("empty_text")} />}
      />
    </Page>
  );
}

function ActorName({ name, onPick }: { name: string; onPick: () => void }) {
  return (
    <Button type="link" size="small" style={{ padding: 0 }} onClick={onPick}>
      {name}
    </Button>
  );
}

/** People by their mail, where one may see who works here; anybody else by the id. */
function useActorNames(): (actor: string) => string {
  const t = useWords("audit");
  const may = useMay();
  const staff = useQuery({
    queryKey: ["staff", "names"],
    enabled: may("staff:read"),
    queryFn: () => everyPage((page) => staffPages(page).queryFn()),
    staleTime: 60_000,
  });
  return (actor) => staff.data?.find((person) => person.id === actor)?.mail ?? (actor.startsWith("key_") ? t("by_key", { id: shortId(actor) }) : actor.startsWith("shp_") ? t("by_shopper") : shortId(actor));
}
