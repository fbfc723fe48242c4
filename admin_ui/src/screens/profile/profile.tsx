import { Button, Card, Descriptions, Form, Input, Tag } from "antd";
import { useState } from "react";
import { sessionPages, useChangeMail, useChangePassword, useEndOtherSessions, useEndSession, useProfile, type OpenSession } from "@/api/profile";
import { useWords } from "@/shell/words";
import { Empty, FormDrawer, ListTable, Moment, Page, ProblemNote, useConfirm, useSay, type Column } from "@/ui";
import { TwoSteps } from "./two_steps";

/** What somebody changes about himself: mail, password, second step, and where he is signed in. */
export default function Profile() {
  const t = useWords("profile");
  const profile = useProfile();
  const [open, setOpen] = useState<"mail" | "password" | null>(null);
  if (profile.isError) return <ProblemNote error={profile.error} />;
  const me = profile.data;
  return (
    <Page title={t("title")} about={t("about")}>
      <div className="stack">
        <Card title={t("account")} loading={me === undefined}>
          <Descriptions
            column={{ xs: 1, sm: 1, md: 2 }}
            items={[
              { key: "mail", label: t("mail"), children: <span className="row">{me?.mail} <Button size="small" onClick={() => setOpen("mail")}>{t("mail.change")}</Button></span> },
              { key: "password", label: t("password"), children: <Button size="small" onClick={() => setOpen("password")}>{t("password.change")}</Button> },
            ]}
          />
        </Card>
        {me !== undefined && <TwoSteps on={me.totp} codesLeft={me.recovery_codes_left} />}
        <Sessions />
      </div>
      <MailForm open={open === "mail"} onClose={() => setOpen(null)} />
      <PasswordForm open={open === "password"} onClose={() => setOpen(null)} />
    </Page>
  );
}

interface FormProps {
  open: boolean;
  onClose: () => void;
}

function MailForm({ open, onClose }: FormProps) {
  const t = useWords("profile");
  const say = useSay("profile");
  const change = useChangeMail();
  const send = async (wish: { mail: string; password: string }) => {
    await change.mutateAsync({ ...wish, mail: wish.mail.trim() });
    say.done(t("mail.sent", { mail: wish.mail.trim() }));
  };
  return (
    <FormDrawer open={open} onClose={onClose} onSubmit={send} title={t("mail.change")} ok={t("mail.ok")} noun="profile">
      <p className="muted" style={{ marginTop: 0 }}>{t("mail.about")}</p>
      <Form.Item name="mail" label={t("mail.new")} rules={[{ required: true, message: t("mail.missing") }, { type: "email", message: t("mail.wrong") }]}>
        <Input type="email" maxLength={254} autoComplete="email" />
      </Form.Item>
      <PasswordAgain />
    </FormDrawer>
  );
}

function PasswordForm({ open, onClose }: FormProps) {
  const t = useWords("profile");
  const say = useSay("profile");
  const change = useChangePassword();
  const send = async (wish: { password: string; new_password: string }) => {
    await change.mutateAsync(wish);
    say.done(t("password.done"));
  };
  return (
    <FormDrawer open={open} onClose={onClose} onSubmit={send} title={t("password.change")} ok={t("password.ok")} noun="profile">
      <PasswordAgain />
      <Form.Item name="new_password" label={t("password.new")} extra={t("password.about")} rules={[{ required: true, min: 10, message: t("password.short") }]}>
        <Input.Password maxLength={256} autoComplete="new-password" />
      </Form.Item>
    </FormDrawer>
  );
}

export function PasswordAgain() {
  const t = useWords("profile");
  return (
    <Form.Item name="password" label={t("password.now")} rules={[{ required: true, message: t("password.missing") }]}>
      <Input.Password maxLength={256} autoComplete="current-password" />
    </Form.Item>
  );
}

function Sessions() {
  const t = useWords("profile");
  const say = useSay("profile");
  const confirm = useConfirm("profile");
  const end = useEndSession();
  const others = useEndOtherSessions();
  const columns: Column<OpenSession>[] = [
    {
      key: "agent", title: t("sessions.browser"),
      render: (session) => (
        <span title={session.user_agent}>
          {browserOf(session.user_agent) ?? t("sessions.program")} {session.current && <Tag color="success">{t("sessions.current")}</Tag>}
        </span>
      ),
    },
    { key: "address", title: t("sessions.address"), render: (session) => session.address || "–" },
    { key: "begun", title: t("sessions.begun"), render: (session) => <Moment at={session.created_at} /> },
    { key: "seen", title: t("sessions.seen"), render: (session) => <Moment at={session.seen_at} /> },
    { key: "expires", title: t("sessions.expires"), optional: true, render: (session) => <Moment at={session.expires_at} /> },
    {
      key: "acts", title: "", always: true, align: "right", phone: "head",
      render: (session) =>
        session.current ? null : (
          <Button type="link" size="small" danger onClick={() => void end.mutateAsync(session.id).then(() => say.done(t("sessions.ended")), say.problem)}>
            {t("sessions.end")}
          </Button>
        ),
    },
  ];
  const endOthers = () =>
    confirm({
      title: t("sessions.others.title"), text: t("sessions.others.text"), ok: t("sessions.others"), danger: true,
      act: async () => {
        await others.mutateAsync();
        say.done(t("sessions.ended"));
      },
    });
  return (
    <section aria-labelledby="sessions">
      <div className="row" style={{ justifyContent: "space-between", margin: "8px 0" }}>
        <h2 id="sessions" style={{ fontSize: 16, margin: 0 }}>{t("sessions.title")}</h2>
        <Button size="small" onClick={endOthers}>{t("sessions.others")}</Button>
      </div>
      <ListTable id="sessions" columns={columns} pages={sessionPages} rowKey={(session) => session.id} empty={<Empty title={t("sessions.title")} />} />
    </section>
  );
}

/** The browser and system in a User-Agent, as people call them; null for what is none we know. */
export function browserOf(agent: string): string | null {
  const browser = /Edg\//.test(agent) ? "Edge" : /MicroMessenger/.test(agent) ? "WeChat" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : null;
  const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac OS X/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : null;
  return browser === null ? null : system === null ? browser : `${browser} · ${system}`;
}
