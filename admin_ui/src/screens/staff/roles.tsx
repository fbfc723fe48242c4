import { SafetyOutlined } from "@ant-design/icons";
import { Button, Form, Input, Tag } from "antd";
import { useState } from "react";
import { rolePages, useDeleteRole, useSaveRole, type Role } from "@/api/staff";
import { useWords } from "@/shell/words";
import { Can, Empty, FormDrawer, ListTable, Moment, useConfirm, useSay, type Column } from "@/ui";
import { PermissionChoice, PermissionList } from "@/ui/permissions";
import { StaffPage, useRoleName } from "./parts";

type Draft = { id?: string; name: string; permissions: string[] };

export default function Roles() {
  const t = useWords("staff");
  const nameOf = useRoleName();
  const [draft, setDraft] = useState<Draft | null>(null);
  const columns: Column<Role>[] = [
    { key: "name", title: t("roles.name"), render: (role) => nameOf(role) },
    { key: "kind", title: t("roles.kind"), phone: "head", render: (role) => <Tag color={role.built_in ? "default" : "processing"}>{t(role.built_in ? "roles.built_in" : "roles.own")}</Tag> },
    { key: "count", title: t("roles.permissions"), render: (role) => t("roles.count", { n: role.permissions.length }) },
    { key: "since", title: t("since"), optional: true, render: (role) => <Moment at={role.created_at} none="" /> },
    { key: "acts", title: "", always: true, align: "right", render: (role) => <Acts role={role} name={nameOf(role)} onEdit={() => setDraft(role)} /> },
  ];
  const primary = (
    <Can permission="staff:write">
      <Button type="primary" onClick={() => setDraft({ name: "", permissions: [] })}>
        {t("roles.new")}
      </Button>
    </Can>
  );
  return (
    <StaffPage primary={primary}>
      <ListTable
        id="roles" columns={columns} pages={rolePages} rowKey={(role) => role.id} expanded={(role) => <PermissionList permissions={role.permissions} />}
        empty={<Empty picture={<SafetyOutlined />} title={t("tab.roles")} />}
      />
      <RoleForm draft={draft} onClose={() => setDraft(null)} />
    </StaffPage>
  );
}

function RoleForm({ draft, onClose }: { draft: Draft | null; onClose: () => void }) {
  const t = useWords("staff");
  const say = useSay("staff");
  const save = useSaveRole();
  const send = async (wish: { name: string; permissions: string[] }) => {
    await save.mutateAsync({ ...wish, name: wish.name.trim(), ...(draft?.id === undefined ? {} : { id: draft.id }) });
    say.done(t("roles.saved"));
  };
  return (
    <FormDrawer
      key={draft?.id ?? "new"} open={draft !== null} onClose={onClose} onSubmit={send} title={t(draft?.id === undefined ? "roles.new" : "roles.edit")} ok={t("save")}
      noun="staff" size={560} initial={{ name: draft?.name ?? "", permissions: draft?.permissions ?? [] }}
    >
      <Form.Item name="name" label={t("roles.name")} rules={[{ required: true, whitespace: true, message: t("roles.name_missing") }]}>
        <Input maxLength={80} />
      </Form.Item>
      <Form.Item name="permissions" label={t("roles.permissions")} rules={[{ required: true, type: "array", min: 1, message: t("roles.permissions_missing") }]}>
        <PermissionChoice />
      </Form.Item>
    </FormDrawer>
  );
}

function Acts({ role, name, onEdit }: { role: Role; name: string; onEdit: () => void }) {
  const t = useWords("staff");
  const say = useSay("staff");
  const confirm = useConfirm("staff");
  const remove = useDeleteRole();
  if (role.built_in) return null;
  const ask = () =>
    confirm({
      title: t("roles.delete.title", { name }), text: t("roles.delete.text"), ok: t("delete"), danger: true,
      act: async () => {
        await remove.mutateAsync(role.id);
        say.done(t("roles.deleted"));
      },
    });
  return (
    <Can permission="staff:write">
      <Button type="link" size="small" onClick={onEdit}>
        {t("edit")}
      </Button>
      <Button type="link" size="small" danger onClick={ask}>
        {t("delete")}
      </Button>
    </Can>
  );
}
