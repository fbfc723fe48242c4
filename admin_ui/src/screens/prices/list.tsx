import { PlusOutlined, TagsOutlined } from "@ant-design/icons";
import { Button, Card, Table } from "antd";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useBuyerGroups, useCreatePriceList, usePriceLists, type PriceList } from "@/api/prices";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, FormDrawer, Moment, Page, ProblemNote, State } from "@/ui";
import { bodyOf, ListFields, type ListForm } from "./form";
import { PriceTabs } from "./tabs";

/** Whether somebody is priced by a list at this moment, or why not. */
export function standing(list: PriceList, now = Date.now()): "on" | "off" | "soon" | "over" {
  if (list.state === "off") return "off";
  if (list.starts_at && new Date(list.starts_at).getTime() > now) return "soon";
  return list.ends_at && new Date(list.ends_at).getTime() <= now ? "over" : "on";
}

export function Standing({ list }: { list: PriceList }) {
  const value = standing(list);
  return <State kind="list" value={value} noun="prices" tone={value === "on" ? "good" : value === "soon" ? "warn" : "plain"} />;
}

export default function PriceLists() {
  const t = useWords("prices");
  const may = useMay();
  const navigate = useNavigate();
  const lists = usePriceLists();
  const groups = new Map((useBuyerGroups().data ?? []).map((group) => [group.id, group.name]));
  const create = useCreatePriceList();
  const [making, setMaking] = useState(false);
  const add = may("prices:write") && <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>{t("create")}</Button>;
  return (
    <Page title={t("title")} about={t("about")} primary={add}>
      <PriceTabs />
      {lists.error && <ProblemNote error={lists.error} noun="prices" />}
      {lists.data?.length === 0 ? (
        <Card size="small"><Empty picture={<TagsOutlined />} title={t("empty.title")} text={t("empty.text")} action={add} /></Card>
      ) : (
        <div className="list">
          <Table<PriceList>
            size="middle" rowKey="id" dataSource={lists.data ?? []} loading={lists.isPending} pagination={false} scroll={{ x: "max-content" }}
            columns={[
              { title: t("column.name"), render: (_, list) => <Link to={`/prices/${list.id}`}>{list.name}</Link> },
              { title: t("column.state"), render: (_, list) => <Standing list={list} /> },
              { title: t("column.group"), render: (_, list) => (list.group_id ? (groups.get(list.group_id) ?? list.group_id) : t("everyone")) },
              { title: t("column.channel"), render: (_, list) => list.channel ?? t("every_channel") },
              { title: t("column.starts"), render: (_, list) => <Moment at={list.starts_at} none="–" /> },
              { title: t("column.ends"), render: (_, list) => <Moment at={list.ends_at} none="–" /> },
            ]}
          />
        </div>
      )}
      {making && (
        <FormDrawer<ListForm>
          open title={t("create")} ok={t("create")} noun="prices" onClose={() => setMaking(false)} initial={{ on: false }}
          onSubmit={async (values) => void navigate(`/prices/${(await create.mutateAsync(bodyOf(values))).id}`)}
        >
          <ListFields />
        </FormDrawer>
      )}
    </Page>
  );
}
