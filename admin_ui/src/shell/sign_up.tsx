import { Button, Card, Form, Input, Result } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import { useSessionQuery } from "../api/session";
import { ProblemNote } from "../ui/problem";
import { DoorPage } from "./door_page";
import { useLanguage, useWords } from "./words";

interface Wish {
  store: string;
  slug: string;
  mail: string;
}

/** Asks for a store. Nothing exists before the mail's link is followed; the password is chosen there. */
export default function SignUp() {
  const t = useWords("shell");
  const { language } = useLanguage();
  const session = useSessionQuery();
  const [form] = Form.useForm<Wish>();
  const [sentTo, setSentTo] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const domain = session.data?.base_domain ?? "";

  const send = async (wish: Wish) => {
    setBusy(true);
    setProblem(null);
    try {
      await take(api.POST("/v1/merchants", { body: { ...wish, mail: wish.mail.trim(), locale: language } }));
      setSentTo(wish.mail.trim());
    } catch (error) {
      const said = Problem.from(error);
      if (said.code === "taken") form.setFields([{ name: "slug", errors: [t("sign_up.taken")] }]);
      else setProblem(said);
    } finally {
      setBusy(false);
    }
  };

  if (sentTo !== "") {
    return (
      <DoorPage title={t("sign_up.title")}>
        <Card>
          <Result status="success" title={t("sign_up.sent")} subTitle={t("sign_up.sent_about", { mail: sentTo })} extra={<Link to="/">{t("sign_in.title")}</Link>} />
        </Card>
      </DoorPage>
    );
  }
  return (
    <DoorPage title={t("sign_up.title")}>
      <Card>
        {problem !== null && <ProblemNote error={problem} style={{ marginBottom: 16 }} />}
        <Form form={form} layout="vertical" requiredMark={false} onFinish={(wish) => void send(wish)} disabled={busy}>
          <Form.Item name="store" label={t("sign_up.store")} rules={[{ required: true, whitespace: true, message: t("sign_up.store_missing") }]}>
            <Input maxLength={80} autoFocus size="large" placeholder={t("sign_up.store_example")} />
          </Form.Item>
          <Form.Item
            name="slug"
            label={t("sign_up.slug")}
            extra={t("sign_up.slug_about")}
            normalize={(text: string) => text.toLowerCase()}
            rules={[
              { required: true, message: t("sign_up.slug_missing") },
              { pattern: /^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]$/, message: t("sign_up.slug_wrong") },
            ]}
          >
            <Input maxLength={32} size="large" suffix={domain && <span className="muted">.{domain}</span>} placeholder="my-store" />
          </Form.Item>
          <Form.Item
            name="mail"
            label={t("mail")}
            rules={[
              { required: true, message: t("sign_in.mail_missing") },
              { type: "email", message: t("sign_up.mail_wrong") },
            ]}
          >
            <Input type="email" autoComplete="email" size="large" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block size="large" loading={busy}>
            {t("sign_up.button")}
          </Button>
        </Form>
        <div className="door-foot" style={{ justifyContent: "center" }}>
          <Link to="/">{t("sign_up.to_sign_in")}</Link>
        </div>
      </Card>
    </DoorPage>
  );
}
