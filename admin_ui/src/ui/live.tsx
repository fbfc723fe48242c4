import { Tag } from "antd";
import { useEffect, useRef, useState } from "react";
import { useWords } from "../shell/words";
import type { Link } from "./events";

/** Whether what is shown comes by itself. */
export function LiveTag({ link }: { link: Link }) {
  const t = useWords("ui");
  return <Tag color={link === "open" ? "success" : "default"}>{t(`live.${link}`)}</Tag>;
}

/** For those who listen: `text` as it changes, politely, and at most every `everyMs`. Nobody sees it. */
export function Spoken({ text, everyMs = 15_000 }: { text: string; everyMs?: number }) {
  const [said, setSaid] = useState("");
  const newest = useRef(text);
  newest.current = text;
  useEffect(() => {
    const timer = setInterval(() => setSaid(newest.current), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return (
    <div className="unseen" role="status" aria-live="polite" data-spoken>
      {said}
    </div>
  );
}

/** Calls at once, and then at most every `ms`; the last call is never lost. */
export function useAtMost(ms: number, act: () => void): () => void {
  const latest = useRef(act);
  latest.current = act;
  const state = useRef<{ at: number; timer: ReturnType<typeof setTimeout> | null }>({ at: 0, timer: null });
  useEffect(() => () => { if (state.current.timer !== null) clearTimeout(state.current.timer); }, []);
  return () => {
    const { at, timer } = state.current;
    if (timer !== null) return;
    const wait = Math.max(0, at + ms - Date.now());
    state.current.timer = setTimeout(() => {
      state.current = { at: Date.now(), timer: null };
      latest.current();
    }, wait);
  };
}
