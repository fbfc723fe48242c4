import { Alert, Button, Card, Form, Input, Radio } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { Problem } from "../api/problem";
import { signIn, type SignIn as Wish } from "../api/session";
import { ProblemNote } from "../ui/problem";
import { DoorPage } from "./door_page";
import { useWords } from "./words";

interface Merchant {
  tenant_id: string;
  store: string;
  slug?: string;
}

/** Mail and password; then, where it is asked for, which merchant, and the second step. The password stays in this form alone. */
export function SignIn() {
  const t = useWords("shell");
  const [form] = Form.useForm<Wish>();
  const [merchants, setMerchants] = useState<Merchant[]>([]);
  const [second, setSecond] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  const send = async (wish: Wish) => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn({ ...wish, mail: wish.mail.trim(), ...(wish.code ? { code: wish.code.replaceAll(" ", "") } : {}) });
    } catch (error) {
      const said = Problem.from(error);
      if (said.code === "several_merchants") setMerchants(said.extra["merchants"] as Merchant[]);
      else if (said.code === "totp_required") setSecond(true);
      else setProblem(said);
      if (said.code === "wrong_code") form.setFieldValue("code", "");
    } finally {
      setBusy(false);
    }
  };

  return (
    <DoorPage title={t("sign_in.title")}>
      <Card>
        {problem !== null && (problem.code === "wrong_credentials" || problem.code === "wrong_code" || problem.code === "no_merchant") ? (
          <Alert type="error" showIcon title={t(`sign_in.${problem.code}`)} style={{ marginBottom: 16 }} role="alert" />
        ) : (
          problem !== null && <ProblemNote error={problem} style={{ marginBottom: 16 }} />
        )}
        <Form form={form} layout="vertical" requiredMark={false} onFinish={(wish) => void send(wish)} disabled={busy}>
          <Form.Item name="mail" label={t("mail")} rules={[{ required: true, message: t("sign_in.mail_missing") }]} hidden={second}>
            <Input type="email" autoComplete="username" autoFocus={!second} size="large" />
          </Form.Item>
          <Form.Item name="password" label={t("password")} rules={[{ required: true, message: t("sign_in.password_missing") }]} hidden={second}>
            <Input.Password autoComplete="current-password" size="large" />
          </Form.Item>
          {merchants.length > 0 && (
            <Form.Item name="tenant_id" label={t("sign_in.which")} rules={[{ required: true, message: t("sign_in.which") }]} hidden={second}>
              <Radio.Group
                options={merchants.map((each) => ({ value: each.tenant_id, label: each.store ?? each.slug ?? each.tenant_id }))}
                orientation="vertical"
              />
            </Form.Item>
          )}
          {second && (
            <Form.Item name="code" label={t("sign_in.code")} extra={t("sign_in.code_about")} rules={[{ required: true, message: t("sign_in.code") }]}>
              <Input autoComplete="one-time-code" inputMode="text" autoFocus size="large" maxLength={16} />
            </Form.Item>
          )}
          <Button type="primary" htmlType="submit" block size="large" loading={busy}>
            {t(second ? "sign_in.confirm" : "sign_in.button")}
          </Button>
          {second && (
            <Button type="link" block style={{ marginTop: 8 }} onClick={() => setSecond(false)}>
              {t("sign_in.other")}
            </Button>
          )}
        </Form>
        <div className="door-foot">
          <a href="/merchant/forgotten">{t("sign_in.forgotten")}</a>
          <Link to="/sign-up">{t("sign_in.to_sign_up")}</Link>
        </div>
      </Card>
    </DoorPage>
  );
}
