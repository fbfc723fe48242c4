import { Link } from "react-router";
import { screens } from "@/shell/screen";
import { useHasWord, useWords } from "@/shell/words";
import { Moment, Money, shortId, type ServerEvent } from "@/ui";

interface Said {
  timestamp: string;
  data: { sale_id?: string; order_id?: string; amount_minor?: number; currency?: string; lines?: { sale_id: string }[]; change?: string };
}

/** Whether an event is about this sale. */
export function isOf(event: ServerEvent, saleId: string): boolean {
  if (event.type === "sale.progress") return (event.data as { sale_id: string }).sale_id === saleId;
  const data = (event.data as Partial<Said>).data;
  return data?.sale_id === saleId || (data?.lines?.some((line) => line.sale_id === saleId) ?? false);
}

/** What happened while one watched, the newest on top. */
export function Latest({ events, saleId }: { events: ServerEvent[]; saleId: string }) {
  const t = useWords("sales");
  const has = useHasWord("sales");
  const hasOrders = screens.some((screen) => screen.path === "/orders");
  if (events.length === 0) {
    return <p className="muted">{t("latest.none")}</p>;
  }
  return (
    <>
      <ul className="plain-list" data-latest={saleId}>
        {events.map((event, n) => {
          const { timestamp, data } = event.data as Said;
          const key = `event.${event.type}`;
          return (
            <li key={`${event.id}${event.type}${timestamp}${n}`}>
              <span className="grow">
                {has(key) ? t(key) : event.type}{" "}
                {data.order_id !== undefined && (hasOrders ? <Link to={`/orders/${data.order_id}`}>{shortId(data.order_id)}</Link> : <code>{shortId(data.order_id)}</code>)}
              </span>
              {data.amount_minor !== undefined && data.currency !== undefined && <Money minor={data.amount_minor} currency={data.currency} />}
              <Moment at={timestamp} />
            </li>
          );
        })}
      </ul>
    </>
  );
}
