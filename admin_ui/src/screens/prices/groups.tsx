import { PlusOutlined, TeamOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Card, Drawer, Flex, Form, Input, Radio, Table } from "antd";
import { useState } from "react";
import { memberPages, useBuyerGroups, useChangeGroup, useCreateGroup, useMembership, useRemoveGroup, type BuyerGroup, type GroupMember } from "@/api/prices";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Empty, FormDrawer, Moment, Page, ProblemNote, State, useConfirm, useSay } from "@/ui";
import { PriceTabs } from "./tabs";

interface GroupForm {
  name: string;
  kind: "level" | "reseller";
}

/** Groups of buyers, and who is in them. */
export default function Groups() {
  const t = useWords("prices");
  const may = useMay();
  const confirm = useConfirm("prices");
  const groups = useBuyerGroups();
  const create = useCreateGroup();
  const change = useChangeGroup();
  const remove = useRemoveGroup();
  const [edited, setEdited] = useState<Partial<BuyerGroup> | null>(null);
  const [open, setOpen] = useState<BuyerGroup | null>(null);
  const canEdit = may("prices:write");
  const add = canEdit && <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited({})}>{t("group.create")}</Button>;
  return (
    <Page title={t("title")} about={t("about")} primary={add}>
      <PriceTabs />
      {groups.error && <ProblemNote error={groups.error} noun="prices" />}
      {groups.data?.length === 0 ? (
        <Card size="small"><Empty picture={<TeamOutlined />} title={t("empty.groups")} text={t("empty.groups_text")} action={add} /></Card>
      ) : (
        <div className="list">
          <Table<BuyerGroup>
            size="middle" rowKey="id" dataSource={groups.data ?? []} loading={groups.isPending} pagination={false} scroll={{ x: "max-content" }}
            columns={[
              { title: t("column.name"), render: (_, group) => <Button type="link" style={{ padding: 0 }} onClick={() => setOpen(group)}>{group.name}</Button> },
              { title: t("group.kind"), render: (_, group) => <State kind="group" value={group.kind} noun="prices" /> },
              { title: t("column.since"), render: (_, group) => <Moment at={group.created_at} /> },
              ...(canEdit
                ? [{
                    title: "", align: "right" as const,
                    render: (_: unknown, group: BuyerGroup) => (
                      <Flex gap={4} justify="end">
                        <Button size="small" onClick={() => setEdited(group)}>{t("edit")}</Button>
                        <Button size="small" onClick={() => confirm({ title: t("group.remove"), text: t("group.remove_text"), ok: t("remove"), danger: true, act: () => remove.mutateAsync(group.id) })}>{t("remove")}</Button>
                      </Flex>
                    ),
                  }]
                : []),
            ]}
          />
        </div>
      )}
      {edited && (
        <FormDrawer<GroupForm>
          open title={t(edited.id ? "edit" : "group.create")} ok={t(edited.id ? "save" : "group.create")} noun="prices" onClose={() => setEdited(null)}
          initial={{ name: edited.name ?? "", kind: (edited.kind as GroupForm["kind"]) ?? "level" }}
          onSubmit={(values) => (edited.id ? change.mutateAsync({ id: edited.id, ...values }) : create.mutateAsync(values))}
        >
          <Form.Item name="name" label={t("column.name")} rules={[{ required: true, whitespace: true, message: t("needed") }]}><Input maxLength={100} autoFocus /></Form.Item>
          <Form.Item name="kind" label={t("group.kind")}><Radio.Group options={(["level", "reseller"] as const).map((value) => ({ value, label: t(`state.group.${value}`) }))} /></Form.Item>
        </FormDrawer>
      )}
      {open && <Members group={open} canEdit={canEdit} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function Members({ group, canEdit, onClose }: { group: BuyerGroup; canEdit: boolean; onClose: () => void }) {
  const t = useWords("prices");
  const say = useSay("prices");
  const move = useMembership(group.id);
  const [form] = Form.useForm<{ shopper_id: string }>();
  const query = useInfiniteQuery({
    queryKey: ["members", group.id],
    queryFn: ({ pageParam }) => memberPages(group.id)(pageParam ? { limit: 50, cursor: pageParam } : { limit: 50 }).queryFn(),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  return (
    <Drawer open onClose={onClose} title={t("group.members", { name: group.name })} size={520}>
      {canEdit && (
        <Form form={form} layout="vertical" onFinish={({ shopper_id }) => move.mutate({ shopper_id: shopper_id.trim(), isIn: true }, { onSuccess: () => form.resetFields(), onError: say.problem })}>
          <Form.Item name="shopper_id" label={t("group.shopper")} extra={t("group.shopper_hint")} rules={[{ required: true, pattern: /^\s*shp_[0-9a-f]{32}\s*$/, message: t("group.shopper_wrong") }]}>
            <Input.Search placeholder="shp_…" enterButton={t("group.join")} onSearch={() => form.submit()} loading={move.isPending} />
          </Form.Item>
        </Form>
      )}
      {query.error && <ProblemNote error={query.error} noun="prices" />}
      <Table<GroupMember>
        size="small" rowKey="shopper_id" dataSource={query.data?.pages.flatMap((page) => page.rows) ?? []} loading={query.isPending} pagination={false} locale={{ emptyText: t("group.nobody") }}
        columns={[
          { title: t("group.shopper"), render: (_, member) => <CopyId id={member.shopper_id} /> },
          { title: t("column.since"), render: (_, member) => <Moment at={member.since} /> },
          ...(canEdit ? [{ title: "", align: "right" as const, render: (_: unknown, member: GroupMember) => <Button size="small" onClick={() => move.mutate({ shopper_id: member.shopper_id, isIn: false }, { onError: say.problem })}>{t("group.leave")}</Button> }] : []),
        ]}
      />
      {query.hasNextPage && <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} style={{ marginTop: 12 }}>{t("more")}</Button>}
    </Drawer>
  );
}
