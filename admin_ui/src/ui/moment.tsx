import { Tooltip } from "antd";
import dayjs from "dayjs";
import { useEffect, useState } from "react";
import { useSession } from "../shell/session";
import { useLanguage, useWords } from "../shell/words";

const FAR_DAYS = 7; // from here on a date says more than "12 days ago"

export function exactMoment(at: string, zone: string, language: string, withZone = true): string {
  const shown = new Intl.DateTimeFormat(language, {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    ...(withZone ? { timeZoneName: "short" } : {}),
  });
  return shown.format(new Date(at));
}

/** How long ago or ahead, and the exact instant in the store's zone on hover. `exact` shows that at once. */
export function Moment({ at, exact = false, none }: { at: string | null | undefined; exact?: boolean; none?: string }) {
  const { store } = useSession();
  const { language } = useLanguage();
  const t = useWords("ui");
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (at === null || at === undefined) return <span className="muted">{none ?? t("never")}</span>;
  const long = exactMoment(at, store.zone, language);
  if (exact) return <time className="moment" dateTime={at}>{exactMoment(at, store.zone, language, false)}</time>;
  const isFar = Math.abs(dayjs().diff(at, "day")) >= FAR_DAYS;
  const short = isFar
    ? new Intl.DateTimeFormat(language, { timeZone: store.zone, year: "numeric", month: "short", day: "numeric" }).format(new Date(at))
    : dayjs(at).fromNow();
  return (
    <Tooltip title={long}>
      <time className="moment" dateTime={at} tabIndex={0} aria-label={long}>
        {short}
      </time>
    </Tooltip>
  );
}
