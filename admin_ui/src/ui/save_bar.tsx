import { Button, Modal } from "antd";
import { useEffect } from "react";
import { useBlocker } from "react-router";
import { Problem } from "../api/problem";
import { useWords } from "../shell/words";
import { ProblemNote } from "./problem";

interface Props {
  /** Whether something on the page differs from what is saved. */
  dirty: boolean;
  saving: boolean;
  /** The last failure to save; null for none. A 412 tells that somebody else was first, and offers to read anew. */
  error?: unknown;
  onSave: () => void;
  onDiscard: () => void;
  /** Reads what the other one saved; offered after a conflict. */
  onReload?: () => void;
  /** Whose words tell of a problem. */
  noun?: string;
}

/** Appears with the first change. Leaving the page then asks. */
export function SaveBar({ dirty, saving, error = null, onSave, onDiscard, onReload, noun = "ui" }: Props) {
  const t = useWords("ui");
  const blocker = useBlocker(({ currentLocation, nextLocation }) => dirty && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [dirty]);
  const isConflict = error !== null && Problem.from(error).status === 412;
  return (
    <>
      <Modal
        open={blocker.state === "blocked"} title={t("unsaved.title")} okText={t("unsaved.leave")} cancelText={t("unsaved.stay")}
        onOk={() => blocker.proceed?.()} onCancel={() => blocker.reset?.()}
      >
        {t("unsaved.text")}
      </Modal>
      {error !== null && <ProblemNote error={error} noun={noun} style={{ marginTop: 16 }} />}
      {(dirty || saving) && (
        <div className="save-bar" role="region" aria-label={t("unsaved.title")}>
          <span className="said">{t("unsaved.bar")}</span>
          {isConflict && onReload !== undefined && <Button onClick={onReload}>{t("conflict.reload")}</Button>}
          <Button onClick={onDiscard} disabled={saving}>
            {t("discard")}
          </Button>
          <Button type="primary" onClick={onSave} loading={saving}>
            {t("save")}
          </Button>
        </div>
      )}
    </>
  );
}
