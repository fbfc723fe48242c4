import { App, Button, Drawer, Form, type FormInstance } from "antd";
import { useState, type ReactNode } from "react";
import { useWords } from "../shell/words";
import { ProblemNote } from "./problem";

interface Props<Values> {
  open: boolean;
  title: string;
  /** The verb of the button. */
  ok: string;
  /** Sends it. The drawer closes when it is done; a problem is told in it, and nothing that was typed is lost. */
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
  initial?: Partial<Values>;
  size?: number;
  noun?: string;
  /** Turns a problem that is of one field into that field's error: true when it did. */
  onProblem?: (error: unknown, form: FormInstance<Values>) => boolean;
  children: ReactNode | ((form: FormInstance<Values>) => ReactNode);
}

/** A form beside the list it belongs to. Unsaved input is asked for before it is thrown away. */
export function FormDrawer<Values extends object>(props: Props<Values>) {
  const { open, title, ok, onSubmit, onClose, initial, size = 460, noun = "ui", onProblem, children } = props;
  const t = useWords(noun);
  const { modal } = App.useApp();
  const [form] = Form.useForm<Values>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  const close = () => {
    setProblem(null);
    onClose();
  };
  const leave = () => {
    if (!form.isFieldsTouched()) return close();
    modal.confirm({ title: t("unsaved.title"), content: t("unsaved.text"), okText: t("unsaved.leave"), cancelText: t("unsaved.stay"), onOk: close });
  };
  const send = async (values: Values) => {
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit(values);
      close();
    } catch (error) {
      if (!onProblem?.(error, form)) setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Drawer
      open={open} onClose={leave} title={title} size={size} destroyOnHidden
      footer={
        <div className="drawer-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button type="primary" loading={busy} onClick={() => form.submit()}>
            {ok}
          </Button>
        </div>
      }
    >
      {problem !== null && <ProblemNote error={problem} noun={noun} style={{ marginBottom: 16 }} />}
      <Form<Values> form={form} layout="vertical" initialValues={initial} onFinish={(values) => void send(values)} preserve={false} scrollToFirstError>
        {typeof children === "function" ? children(form) : children}
      </Form>
    </Drawer>
  );
}
