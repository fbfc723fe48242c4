import { Alert, Button, Card, Form, Input, Modal, QRCode, Steps, Tag } from "antd";
import { useState } from "react";
import { useConfirmTotp, useDisableTotp, useEnrolTotp } from "@/api/profile";
import { useWords } from "@/shell/words";
import { CopyButton, FormDrawer, ProblemNote, useSay } from "@/ui";
import { PasswordAgain } from "./profile";

/** Two-step sign-in: on with an app and its first code, off with both factors. */
export function TwoSteps({ on, codesLeft }: { on: boolean; codesLeft: number }) {
  const t = useWords("profile");
  const [enrolling, setEnrolling] = useState(false);
  const [ending, setEnding] = useState(false);
  const disable = useDisableTotp();
  const say = useSay("profile");
  const end = async (wish: { password: string; code: string }) => {
    await disable.mutateAsync({ ...wish, code: wish.code.replaceAll(" ", "") });
    say.done(t("totp.off"));
  };
  return (
    <Card
      title={<span className="row">{t("totp")} <Tag color={on ? "success" : "warning"}>{t(on ? "totp.is_on" : "totp.is_off")}</Tag></span>}
      extra={on ? <Button onClick={() => setEnding(true)}>{t("totp.disable")}</Button> : <Button type="primary" onClick={() => setEnrolling(true)}>{t("totp.enable")}</Button>}
    >
      <p style={{ margin: 0 }} className="muted">{on ? t("totp.codes_left", { n: codesLeft }) : t("totp.about")}</p>
      {enrolling && <Enrol onClose={() => setEnrolling(false)} />}
      <FormDrawer open={ending} onClose={() => setEnding(false)} onSubmit={end} title={t("totp.disable")} ok={t("totp.disable")} noun="profile">
        <p className="muted" style={{ marginTop: 0 }}>{t("totp.disable_about")}</p>
        <PasswordAgain />
        <Form.Item name="code" label={t("totp.code")} rules={[{ required: true, min: 6, message: t("totp.code_missing") }]}>
          <Input autoComplete="one-time-code" maxLength={16} />
        </Form.Item>
      </FormDrawer>
    </Card>
  );
}

/** Password, then the app's secret and its first code, then the recovery codes, which are shown this once. */
function Enrol({ onClose }: { onClose: () => void }) {
  const t = useWords("profile");
  const enrol = useEnrolTotp();
  const confirm = useConfirmTotp();
  const codes = confirm.data?.recovery_codes;
  const step = codes !== undefined ? 2 : enrol.data !== undefined ? 1 : 0;
  return (
    <Modal open title={t("totp.enable")} footer={null} onCancel={onClose} closable={step < 2} mask={{ closable: false }} keyboard={step < 2} width={560}>
      <Steps size="small" current={step} items={[{ title: t("totp.step.password") }, { title: t("totp.step.app") }, { title: t("totp.step.codes") }]} style={{ margin: "8px 0 20px" }} />
      {enrol.isError && step === 0 && <ProblemNote error={enrol.error} noun="profile" style={{ marginBottom: 16 }} />}
      {confirm.isError && step === 1 && <ProblemNote error={confirm.error} noun="profile" style={{ marginBottom: 16 }} />}
      {step === 0 && (
        <Form layout="vertical" onFinish={({ password }: { password: string }) => enrol.mutate(password)}>
          <PasswordAgain />
          <Button type="primary" htmlType="submit" loading={enrol.isPending}>{t("totp.next")}</Button>
        </Form>
      )}
      {step === 1 && enrol.data !== undefined && (
        <div className="stack">
          <p style={{ margin: 0 }}>{t("totp.scan")}</p>
          <div className="row" style={{ alignItems: "flex-start", gap: 20 }}>
            <QRCode value={enrol.data.uri} size={180} type="svg" color="#000" bgColor="#fff" />
            <div className="stack" style={{ flex: 1, minWidth: 200 }}>
              <span className="muted">{t("totp.type_in")}</span>
              <div className="secret"><span data-testid="totp-secret">{enrol.data.secret}</span><CopyButton text={enrol.data.secret} label={t("totp.secret")} /></div>
              <Form layout="vertical" onFinish={({ code }: { code: string }) => confirm.mutate(code.replaceAll(" ", ""))}>
                <Form.Item name="code" label={t("totp.first_code")} rules={[{ required: true, min: 6, message: t("totp.code_missing") }]}>
                  <Input autoComplete="one-time-code" inputMode="numeric" maxLength={7} autoFocus />
                </Form.Item>
                <Button type="primary" htmlType="submit" loading={confirm.isPending}>{t("totp.enable")}</Button>
              </Form>
            </div>
          </div>
        </div>
      )}
      {codes !== undefined && (
        <div className="stack">
          <Alert type="warning" showIcon title={t("totp.codes_once")} description={t("totp.codes_about")} />
          <div className="secret">
            <span style={{ columns: 2, width: "100%" }} data-testid="recovery-codes">{codes.map((code) => <div key={code}>{code}</div>)}</span>
            <CopyButton text={codes.join("\n")} label={t("totp.step.codes")} />
          </div>
          <Button type="primary" onClick={onClose} style={{ alignSelf: "flex-end" }}>{t("secret.kept")}</Button>
        </div>
      )}
    </Modal>
  );
}
