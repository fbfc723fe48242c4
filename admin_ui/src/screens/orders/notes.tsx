import { Button, Card, Input } from "antd";
import { useState } from "react";
import { useAddNote, useNotes } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { Actor } from "../../ui/actor";
import { Moment } from "../../ui/moment";
import { useSay } from "../../ui/say";

export function Notes({ id }: { id: string }) {
  const t = useWords("orders");
  const may = useMay();
  const say = useSay("orders");
  const { data } = useNotes(id);
  const add = useAddNote();
  const [words, setWords] = useState("");
  const save = () => add.mutate({ id, words: words.trim() }, { onSuccess: () => setWords(""), onError: say.problem });
  return (
    <Card size="small" title={t("section.notes")}>
      <div className="stack" style={{ gap: 8 }}>
        {may("orders:write") && (
          <>
            <Input.TextArea
              rows={2} maxLength={2000} value={words} onChange={(event) => setWords(event.target.value)} aria-label={t("notes.add")}
              placeholder={t("notes.add")}
            />
            <div className="row" style={{ justifyContent: "space-between", flexWrap: "nowrap" }}>
              <span className="muted" style={{ fontSize: 12 }}>{t("notes.hint")}</span>
              <Button size="small" disabled={words.trim() === ""} loading={add.isPending} onClick={save}>
                {t("notes.save")}
              </Button>
            </div>
          </>
        )}
        {data?.items.length === 0 && !may("orders:write") && <span className="muted">{t("notes.none")}</span>}
        {data?.items.map((note) => (
          <article key={note.id}>
            <div style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{note.words ?? t("notes.erased")}</div>
            <div className="muted" style={{ fontSize: 12 }}>
              <Actor id={note.author} /> · <Moment at={note.created_at} />
            </div>
          </article>
        ))}
      </div>
    </Card>
  );
}
