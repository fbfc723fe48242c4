import { MoreOutlined, TeamOutlined, UserAddOutlined } from "@ant-design/icons";
import { Button, Dropdown, Tag } from "antd";
import { useState } from "react";
import { staffPages, useRemoveStaff, type Person } from "@/api/staff";
import { useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Can, CopyId, Empty, ListTable, Moment, useConfirm, useSay, type Column } from "@/ui";
import { ChangeRole } from "./change_role";
import { Invite } from "./invite";
import { RoleName, StaffPage } from "./parts";

export default function StaffList() {
  const t = useWords("staff");
  const { who, mode } = useSession();
  const [inviting, setInviting] = useState(false);
  const [changing, setChanging] = useState<Person | null>(null);
  const invite = mode === "live" && (
    <Can permission="staff:write">
      <Button type="primary" icon={<UserAddOutlined />} onClick={() => setInviting(true)}>
        {t("invite")}
      </Button>
    </Can>
  );
  const columns: Column<Person>[] = [
    {
      key: "mail", title: t("mail"),
      render: (person) => (
        <span>
          {person.mail} {person.id === who.id && <Tag>{t("you")}</Tag>}
        </span>
      ),
    },
    { key: "role", title: t("role"), render: (person) => <RoleName id={person.role} /> },
    { key: "since", title: t("since"), render: (person) => <Moment at={person.created_at} /> },
    { key: "id", title: "ID", optional: true, render: (person) => <CopyId id={person.id} /> },
    { key: "acts", title: "", always: true, align: "right", phone: "head", width: 56, render: (person) => <Acts person={person} onChange={() => setChanging(person)} /> },
  ];
  return (
    <StaffPage primary={invite}>
      <ListTable id="staff" columns={columns} pages={staffPages} rowKey={(person) => person.id} empty={<Empty picture={<TeamOutlined />} title={t("only_you.title")} text={t("only_you.text")} action={invite} />} />
      <Invite open={inviting} onClose={() => setInviting(false)} />
      <ChangeRole person={changing} onClose={() => setChanging(null)} />
    </StaffPage>
  );
}

function Acts({ person, onChange }: { person: Person; onChange: () => void }) {
  const t = useWords("staff");
  const confirm = useConfirm("staff");
  const say = useSay("staff");
  const remove = useRemoveStaff();
  const items = [
    { key: "change", label: t("change") },
    { key: "remove", label: t("remove"), danger: true },
  ];
  const onClick = ({ key }: { key: string }) => {
    if (key === "change") return onChange();
    confirm({
      title: t("remove.title", { mail: person.mail }), text: t("remove.text"), ok: t("remove"), danger: true,
      act: async () => {
        await remove.mutateAsync(person.id);
        say.done(t("remove.done"));
      },
    });
  };
  return (
    <Can permission="staff:write">
      <Dropdown menu={{ items, onClick }} trigger={["click"]}>
        <Button type="text" size="small" icon={<MoreOutlined />} aria-label={`${t("more")}: ${person.mail}`} />
      </Dropdown>
    </Can>
  );
}
