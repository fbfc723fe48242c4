import { App } from "antd";
import { useHasWord, useWords } from "../shell/words";
import { sayProblem } from "./problem";

interface Ask {
  title: string;
  /** What will happen, in numbers: "3 people lose access within 2 seconds". */
  text: string;
  /** The verb of the button. */
  ok: string;
  danger?: boolean;
  /** What happens then. The dialog waits for it; a failure is told and leaves everything as it was. */
  act: () => Promise<unknown>;
}

/** `const confirm = useConfirm(); confirm({title, text, ok, danger: true, act})`. */
export function useConfirm(noun = "ui"): (ask: Ask) => void {
  const { modal, notification } = App.useApp();
  const t = useWords(noun);
  const has = useHasWord(noun);
  return ({ title, text, ok, danger, act }) =>
    void modal.confirm({
      title, content: text, okText: ok, cancelText: t("cancel"), okButtonProps: { danger: danger ?? false },
      autoFocusButton: danger ? "cancel" : "ok",
      onOk: () => act().catch((error: unknown) => sayProblem(notification, t, has, error)),
    });
}
