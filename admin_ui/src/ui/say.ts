import { App } from "antd";
import { useHasWord, useWords } from "../shell/words";
import { sayProblem } from "./problem";

/** Passing words: `say.done(t("saved"))` after success, `say.problem(error)` after failure. */
export function useSay(noun = "ui"): { done: (text: string) => void; problem: (error: unknown) => void } {
  const { message, notification } = App.useApp();
  const t = useWords(noun);
  const has = useHasWord(noun);
  return {
    done: (text) => void message.success(text),
    problem: (error) => sayProblem(notification, t, has, error),
  };
}
