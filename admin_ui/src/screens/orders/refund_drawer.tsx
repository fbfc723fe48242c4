import { Alert, Button, Checkbox, Drawer } from "antd";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey, take } from "../../api/client";
import { useRefund, type Order, type Standing } from "../../api/orders";
import { useLanguage, useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { Money, moneyText } from "../../ui/money";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { State } from "../../ui/state";
import { choices, outcome, toggled } from "./refunding";
import { tone } from "./tones";

/** All, lines or single units. What goes back and what ends is said in numbers before it is confirmed, once. */
export function RefundDrawer({ order, standing, onClose }: { order: Order; standing: Standing; onClose: () => void }) {
  const t = useWords("orders");
  const { language } = useLanguage();
  const say = useSay("orders");
  const confirm = useConfirm("orders");
  const refund = useRefund();
  const key = useRef(newKey()); // one wish, however often its answer is lost
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const { data: rule } = useQuery({
    queryKey: ["orders", "refundable", order.id],
    queryFn: () => take(api.GET("/v1/orders/{order_id}/refundable", { params: { path: { order_id: order.id } } })),
  });
  const left = choices(standing).filter((choice) => choice.units.length > 0);
  const all = left.flatMap((choice) => choice.units.map((unit) => unit.unit));
  const most = outcome(standing, new Set(all)).amount;
  const told = outcome(standing, chosen);
  const amount = moneyText(told.amount, order.currency, language);
  const byRule = rule?.lines.reduce((sum, line) => sum + line.refundable_minor, 0);
  const sentences = [
    t("refund.says", { amount, n: told.units.length }),
    ...(told.revoked > 0 ? [t("refund.says_revoked", { n: told.revoked })] : []),
    ...(told.stopped > 0 ? [t("refund.says_stopped", { n: told.stopped })] : []),
    t(told.everything ? "refund.says_everything" : "refund.says_rest"),
  ];
  const ask = () =>
    confirm({
      title: t("refund.confirm", { amount }), text: sentences.join(language === "en" ? " " : ""), ok: t("refund.ok", { amount }), danger: true,
      act: async () => {
        try {
          await refund.mutateAsync({ id: order.id, units: told.everything ? null : told.units, key: key.current });
          say.done(t("refund.done", { amount }));
          onClose();
        } finally {
          key.current = newKey();
        }
      },
    });
  return (
    <Drawer
      open onClose={onClose} title={t("refund.title")} size={520}
      footer={
        <div className="drawer-foot" style={{ alignItems: "center" }}>
          <span style={{ marginInlineEnd: "auto" }} aria-live="polite">{chosen.size === 0 ? <span className="muted">{t("refund.choose")}</span> : sentences.join(language === "en" ? " " : "")}</span>
          <Button type="primary" danger disabled={chosen.size === 0} loading={refund.isPending} onClick={ask}>
            {t("refund.ok", { amount: chosen.size === 0 ? "" : amount })}
          </Button>
        </div>
      }
    >
      <div className="stack">
        <p style={{ margin: 0 }}>{t("refund.about")}</p>
        {refund.isError && <ProblemNote error={refund.error} noun="orders" />}
        {byRule !== undefined && byRule < most && <Alert type="info" title={t("refund.rule", { amount: moneyText(byRule, order.currency, language) })} />}
        {left.length === 0 ? (
          <Alert type="info" title={t("refund.nothing")} />
        ) : (
          <Checkbox checked={chosen.size === all.length} indeterminate={chosen.size > 0 && chosen.size < all.length} onChange={(event) => setChosen(new Set(event.target.checked ? all : []))}>
            {t("refund.all")}
          </Checkbox>
        )}
        {left.map(({ line, units, whole }) => (
          <fieldset key={line.sale_id} className="refund-line">
            <legend>{line.sku_name}</legend>
            {whole && units.length > 1 && <div className="muted">{t("refund.whole_line")}</div>}
            {units.map((unit) => (
              <div key={unit.unit} className="row" style={{ justifyContent: "space-between" }}>
                <Checkbox checked={chosen.has(unit.unit)} onChange={(event) => setChosen(toggled(standing, chosen, unit.unit, event.target.checked))}>
                  <span className="number">#{unit.unit}</span> <State kind="unit" noun="orders" value={unit.state} tone={tone("unit", unit.state)} />
                </Checkbox>
                <Money minor={unit.paid_minor} currency={order.currency} />
              </div>
            ))}
          </fieldset>
        ))}
      </div>
    </Drawer>
  );
}
