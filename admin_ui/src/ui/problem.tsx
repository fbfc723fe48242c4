import { Alert } from "antd";
import type { NotificationInstance } from "antd/es/notification/interface";
import type { CSSProperties } from "react";
import { Problem } from "../api/problem";
import { useHasWord, useWords, type Translate } from "../shell/words";

interface Said {
  title: string;
  text: string;
}

/** What happened, what was kept, what to do: by the problem's code, else by its status. The API's own sentence stands where ours do not. */
export function explain(t: Translate, has: (key: string) => boolean, error: unknown): Said {
  const problem = Problem.from(error);
  const values: Record<string, string | number> = { seconds: problem.retryAfterS ?? 1 };
  for (const [name, value] of Object.entries(problem.extra)) if (typeof value === "string" || typeof value === "number") values[name] = value;
  const key = [`problem.${problem.code}`, `problem.${problem.status}`].find((each) => has(`${each}.title`)) ?? "problem.other";
  const text = t(`${key}.text`, values);
  const isOurs = key === `problem.${problem.code}`;
  return { title: t(`${key}.title`, values), text: isOurs || problem.detail === "" ? text : `${problem.detail} ${text}` };
}

/** An error in its place on the page. */
export function ProblemNote({ error, style, noun = "ui" }: { error: unknown; style?: CSSProperties; noun?: string }) {
  const t = useWords(noun);
  const said = explain(t, useHasWord(noun), error);
  return <Alert type="error" showIcon title={said.title} description={said.text} style={style} role="alert" />;
}

/** The same as a passing notice, for what has no place. */
export function sayProblem(notification: NotificationInstance, t: Translate, has: (key: string) => boolean, error: unknown): void {
  const said = explain(t, has, error);
  notification.error({ title: said.title, description: said.text, duration: 8 });
}
