import { Button, Progress } from "antd";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useLanguage, useWords } from "../shell/words";

interface Props {
  state: "waiting" | "running" | "done" | "failed";
  done: number;
  /** Null while nobody knows how much it is. */
  total: number | null;
  startedAt?: string | null;
  /** What came of it: counts, a link to what was made. */
  result?: ReactNode;
  /** Downloads what went wrong, line by line. */
  errors?: { count: number; onDownload: () => void };
}

/** A long job: how far, how fast, how long still. It goes on when the page is left; coming back shows it again. */
export function Job({ state, done, total, startedAt, result, errors }: Props) {
  const t = useWords("ui");
  const { language } = useLanguage();
  const rate = useRate(done, state === "running", startedAt);
  const number = (value: number) => new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
  const left = rate > 0 && total !== null ? Math.ceil((total - done) / rate) : null;
  const percent = state === "done" ? 100 : total ? Math.min(99, Math.floor((100 * done) / total)) : 0;
  const status = state === "failed" ? "exception" : state === "done" ? "success" : "active";
  return (
    <div className="stack" style={{ gap: 8 }} role="status" aria-live="polite">
      <Progress percent={percent} status={status} aria-label={t(`job.${state}`)} />
      <div className="row muted">
        <span>{t(`job.${state}`)}</span>
        <span className="number">{total === null ? number(done) : `${number(done)} / ${number(total)}`}</span>
        {state === "running" && rate > 0 && <span>{t("job.rate", { n: Math.round(rate) })}</span>}
        {state === "running" && left !== null && <span>{left < 90 ? t("job.seconds", { n: left }) : t("job.minutes", { n: Math.round(left / 60) })}</span>}
      </div>
      {result}
      {errors !== undefined && errors.count > 0 && (
        <div className="row">
          <span>{t("job.errors", { n: errors.count })}</span>
          <Button size="small" onClick={errors.onDownload}>
            {t("job.download")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Per second: since it began if that is known, else since this page saw it first. */
function useRate(done: number, running: boolean, startedAt?: string | null): number {
  const first = useRef<{ at: number; done: number } | null>(null);
  const [rate, setRate] = useState(0);
  useEffect(() => {
    if (!running) return;
    first.current ??= startedAt ? { at: new Date(startedAt).getTime(), done: 0 } : { at: Date.now(), done };
    const seconds = (Date.now() - first.current.at) / 1000;
    if (seconds > 0.5) setRate((done - first.current.done) / seconds);
  }, [done, running, startedAt]);
  return rate;
}
