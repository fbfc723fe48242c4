import { MailOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { invitationPages, useResend, useRevokeInvitation, type Invitation } from "@/api/staff";
import { useWords } from "@/shell/words";
import { Can, Empty, ListTable, Moment, useConfirm, useSay, type Column } from "@/ui";
import { RoleName, StaffPage } from "./parts";

export default function Invitations() {
  const t = useWords("staff");
  const columns: Column<Invitation>[] = [
    { key: "mail", title: t("mail"), render: (one) => one.mail },
    { key: "role", title: t("role"), render: (one) => <RoleName id={one.role} /> },
    { key: "sent", title: t("sent"), render: (one) => <Moment at={one.sent_at} /> },
    { key: "expires", title: t("expires"), render: (one) => <Moment at={one.expires_at} /> },
    { key: "acts", title: "", always: true, align: "right", render: (one) => <Acts one={one} /> },
  ];
  return (
    <StaffPage>
      <ListTable
        id="invitations" columns={columns} pages={invitationPages} rowKey={(one) => one.id}
        empty={<Empty picture={<MailOutlined />} title={t("invitations.empty")} text={t("invitations.empty_text")} />}
      />
    </StaffPage>
  );
}

function Acts({ one }: { one: Invitation }) {
  const t = useWords("staff");
  const say = useSay("staff");
  const confirm = useConfirm("staff");
  const resend = useResend();
  const revoke = useRevokeInvitation();
  const again = () =>
    resend.mutateAsync(one.id).then(
      () => say.done(t("resend.done")),
      (error: unknown) => say.problem(error),
    );
  const back = () =>
    confirm({
      title: t("revoke.title", { mail: one.mail }), text: t("revoke.text"), ok: t("revoke"), danger: true,
      act: async () => {
        await revoke.mutateAsync(one.id);
        say.done(t("revoke.done"));
      },
    });
  return (
    <Can permission="staff:write">
      <Button type="link" size="small" loading={resend.isPending} onClick={() => void again()}>
        {t("resend")}
      </Button>
      <Button type="link" size="small" danger onClick={back}>
        {t("revoke")}
      </Button>
    </Can>
  );
}
