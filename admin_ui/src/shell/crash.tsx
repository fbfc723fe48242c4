import { Button, Result } from "antd";
import { useRouteError } from "react-router";
import { Problem } from "../api/problem";
import { useWords } from "./words";

/** What nobody expected. A chunk that is gone means that the console was built anew meanwhile: reloading gets the new one. */
export function Crash() {
  const t = useWords("shell");
  const problem = Problem.from(useRouteError());
  const isStale = /dynamically imported module|preload/i.test(problem.message);
  return (
    <Result
      status={isStale ? "info" : "error"}
      title={t(isStale ? "crash.stale" : "crash.title")}
      subTitle={isStale ? t("crash.stale_text") : `${t("crash.text")} (${problem.message})`}
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t("crash.reload")}
        </Button>
      }
    />
  );
}
