import { Form, Input, Select } from "antd";
import { useInvite } from "@/api/staff";
import { LANGUAGES, useLanguage, useWords, type Language } from "@/shell/words";
import { FormDrawer, useSay } from "@/ui";
import { useRoleOptions } from "./parts";

interface Wish {
  mail: string;
  role: string;
  locale: Language;
}

export function Invite({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useWords("staff");
  const { language } = useLanguage();
  const say = useSay("staff");
  const invite = useInvite();
  const roles = useRoleOptions();
  const send = async (wish: Wish) => {
    await invite.mutateAsync({ ...wish, mail: wish.mail.trim() });
    say.done(t("invite.sent", { mail: wish.mail.trim() }));
  };
  return (
    <FormDrawer<Wish> open={open} onClose={onClose} onSubmit={send} title={t("invite.title")} ok={t("invite.ok")} noun="staff" initial={{ locale: language, role: "support" }}>
      <p className="muted" style={{ marginTop: 0 }}>{t("invite.about")}</p>
      <Form.Item name="mail" label={t("mail")} rules={[{ required: true, message: t("mail.missing") }, { type: "email", message: t("mail.wrong") }]}>
        <Input type="email" maxLength={254} autoComplete="off" />
      </Form.Item>
      <Form.Item name="role" label={t("role")} rules={[{ required: true, message: t("role.missing") }]}>
        <Select options={roles} />
      </Form.Item>
      <Form.Item name="locale" label={t("language")} rules={[{ required: true }]}>
        <Select options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
    </FormDrawer>
  );
}
