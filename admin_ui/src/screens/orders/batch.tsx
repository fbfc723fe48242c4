import { App, Button, Select } from "antd";
import { useState } from "react";
import { useActOnMany, useTags, type ManyWish, type Order, type OrderResult } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useHasWord, useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { shortId } from "../../ui/copy_id";
import { useSay } from "../../ui/say";

/** What can be done with many orders at once; each is done or refused by itself, and why is told. */
export function Batch({ rows, clear }: { rows: Order[]; clear: () => void }) {
  const t = useWords("orders");
  const may = useMay();
  const confirm = useConfirm("orders");
  const { data: tags } = useTags();
  const run = useRun(clear);
  const ids = rows.map((row) => row.id);
  const [choosing, setChoosing] = useState<"tag" | "untag" | null>(null);
  if (!may("orders:write")) return null;
  const ask = (act: "cancel" | "resend") =>
    confirm({
      title: t(`many.${act}.title`, { n: ids.length }), text: t(`many.${act}.text`), ok: t(`many.${act}`), danger: act === "cancel",
      act: () => run({ act, order_ids: ids }),
    });
  return (
    <>
      {(["tag", "untag"] as const).map((act) =>
        choosing === act ? (
          <Select
            key={act} autoFocus defaultOpen showSearch={{ optionFilterProp: "label" }} size="small" style={{ minWidth: 160 }} aria-label={t("many.which")} placeholder={t("many.which")}
            options={(tags ?? []).map((tag) => ({ value: tag.id, label: tag.name }))} notFoundContent={t("tags.none")}
            onBlur={() => setChoosing(null)}
            onChange={(tag_id: string) => {
              setChoosing(null);
              void run({ act, order_ids: ids, tag_id });
            }}
          />
        ) : (
          <Button key={act} size="small" onClick={() => setChoosing(act)}>
            {t(`many.${act}`)}
          </Button>
        ),
      )}
      <Button size="small" onClick={() => ask("resend")}>
        {t("many.resend")}
      </Button>
      <Button size="small" danger onClick={() => ask("cancel")}>
        {t("many.cancel")}
      </Button>
    </>
  );
}

function useRun(clear: () => void): (wish: ManyWish) => Promise<void> {
  const t = useWords("orders");
  const has = useHasWord("orders");
  const say = useSay("orders");
  const { modal } = App.useApp();
  const act = useActOnMany();
  const why = (result: OrderResult) => {
    const key = `problem.${result.code}.title`;
    return has(key) ? t(key) : (result.detail ?? "");
  };
  return async (wish) => {
    const results = await act.mutateAsync(wish).catch((error: unknown) => {
      say.problem(error);
      return null;
    });
    if (results === null) return;
    const refused = results.filter((result) => !result.done);
    const done = results.length - refused.length;
    clear();
    if (refused.length === 0) return say.done(t("many.done", { done }));
    modal.info({
      title: t("many.result", { done, refused: refused.length }),
      content: (
        <>
          <p>{t("many.result.text")}</p>
          <ul style={{ maxHeight: 240, overflow: "auto", paddingInlineStart: 20 }}>
            {refused.map((result) => (
              <li key={result.order_id}>
                <code>{shortId(result.order_id)}</code> {why(result)}
              </li>
            ))}
          </ul>
        </>
      ),
    });
  };
}
