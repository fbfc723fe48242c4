import { Card } from "antd";
import { useSkuStock } from "@/api/sales";
import { useSession } from "@/shell/session";
import { useLanguage, useWords } from "@/shell/words";
import { exactMoment, inZone, minorOf, moneyText } from "@/ui";
import { outlook, type Wish } from "./wish";

/** What will happen when this is published, as far as it is known by now. */
export function Summary({ wish }: { wish: Wish }) {
  const t = useWords("sales");
  const { store } = useSession();
  const { language } = useLanguage();
  const stock = useSkuStock(wish.sku_id).data?.stock;
  const { minor, shoppers, hours } = outlook(wish, store.zone);
  const price = minorOf(wish.price, wish.currency);
  const said = (at: Wish["starts"]) => {
    const moment = inZone(at, store.zone);
    return moment === null ? "" : exactMoment(moment.toISOString(), store.zone, language);
  };
  const lines = [
    wish.units && price !== null && t("will.sell", { n: wish.units.toLocaleString(), price: moneyText(price, wish.currency, language) }),
    minor !== null && t("will.bring", { amount: moneyText(minor, wish.currency, language) }),
    stock?.unallotted !== undefined && wish.units && t("will.leave", { n: Math.max(0, stock.unallotted - wish.units).toLocaleString() }),
    shoppers !== null && t("will.reach", { n: shoppers.toLocaleString(), limit: wish.limit }),
    wish.starts === null ? t("will.start_now") : t("will.start", { at: said(wish.starts) }),
    wish.ends === null ? t("will.not_end") : t("will.end", { at: said(wish.ends), hours: hours ?? 0 }),
    t("will.hold", { n: wish.hold_minutes }),
  ].filter((line): line is string => typeof line === "string");
  return (
    <Card size="small" title={<h2 className="card-title">{t("will.title")}</h2>}>
      <ul className="will">{lines.map((line) => <li key={line}>{line}</li>)}</ul>
    </Card>
  );
}
