import { EyeOutlined } from "@ant-design/icons";
import { Button, Form, Input, Modal, Progress } from "antd";
import { useEffect, useRef, useState } from "react";
import { revealUnit, type Code } from "@/api/units";
import { useWords } from "@/shell/words";
import { Can, CopyButton, ProblemNote } from "@/ui";

export const SHOWN_S = 30;

/** A code in clear: asked for with a reason, on record, and gone from the screen after half a minute, or when one looks elsewhere. */
export function Reveal({ unit, masked }: { unit: number; masked: string }) {
  const t = useWords("vault");
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [code, setCode] = useState<Code | null>(null);
  const [left, setLeft] = useState(0);
  const gone = useRef(false);

  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  useEffect(() => {
    if (!code) return;
    const hide = () => setCode(null);
    const until = Date.now() + SHOWN_S * 1000;
    const timer = setInterval(() => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      if (seconds <= 0) hide();
      else setLeft(seconds);
    }, 250);
    const leave = () => document.hidden && hide();
    document.addEventListener("visibilitychange", leave);
    window.addEventListener("pagehide", hide);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", leave);
      window.removeEventListener("pagehide", hide);
    };
  }, [code]);

  const ask = async ({ reason }: { reason: string }) => {
    setBusy(true);
    setProblem(null);
    try {
      const found = await revealUnit(unit, reason.trim());
      if (gone.current) return;
      setLeft(SHOWN_S);
      setCode(found);
      setAsking(false);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const lines: [string, string | null | undefined][] = code
    ? [["role.code", code.code], ["role.secret", code.secret], ["role.valid_until", code.valid_until], ["role.face_value", code.face_value]]
    : [];
  return (
    <>
      {code ? (
        <div className="stack" style={{ gap: 8 }} data-testid="revealed">
          {lines.filter(([, text]) => text).map(([key, text]) => (
            <div key={key}>
              <div className="muted">{t(key)}</div>
              <div className="secret">
                <span>{text}</span>
                <CopyButton text={text!} label={t(key)} />
              </div>
            </div>
          ))}
          <div className="row">
            <Progress type="circle" size={22} percent={(100 * left) / SHOWN_S} showInfo={false} aria-label={t("reveal.left", { n: left })} />
            <span className="muted" role="timer">{t("reveal.left", { n: left })}</span>
            <Button size="small" onClick={() => setCode(null)}>{t("reveal.hide")}</Button>
          </div>
        </div>
      ) : (
        <div className="row" style={{ justifyContent: "space-between" }}>
          <span className="copy-id">{masked}</span>
          <Can permission="codes:reveal">
            <Button size="small" icon={<EyeOutlined />} onClick={() => setAsking(true)}>{t("reveal.title")}</Button>
          </Can>
        </div>
      )}
      <Modal
        open={asking} title={t("reveal.title")} onCancel={() => setAsking(false)} destroyOnHidden okText={t("reveal.show")} cancelText={t("cancel")}
        okButtonProps={{ htmlType: "submit", form: "reveal-unit", loading: busy }}
      >
        <p>{t("reveal.text", { n: SHOWN_S })}</p>
        {problem !== null && <ProblemNote error={problem} noun="vault" />}
        <Form id="reveal-unit" layout="vertical" onFinish={(values: { reason: string }) => void ask(values)}>
          <Form.Item name="reason" label={t("reveal.reason")} rules={[{ required: true, whitespace: true, message: t("reason.needed") }]}>
            <Input maxLength={200} autoFocus autoComplete="off" />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
