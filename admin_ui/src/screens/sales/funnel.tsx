import { Skeleton } from "antd";
import type { Funnel as Found } from "@/api/sales";
import { useWords } from "@/shell/words";

const STEPS = ["reserved", "paid", "delivered", "waiting", "lapsed", "refunded"] as const;

/** What became of the orders, each step as a part of those that were reserved. */
export function Funnel({ funnel }: { funnel: Found | undefined }) {
  const t = useWords("sales");
  if (funnel === undefined) return <Skeleton active />;
  const all = funnel.reserved.orders;
  return (
    <dl className="funnel">
      {STEPS.map((step) => {
        const { orders, units } = funnel[step];
        const share = all === 0 ? 0 : (orders / all) * 100;
        return (
          <div key={step}>
            <dt>{t(`step.${step}`)}</dt>
            <dd className="bar" aria-hidden="true">
              <svg viewBox="0 0 100 10" preserveAspectRatio="none"><rect width={share} height="10" /></svg>
            </dd>
            <dd data-step={step}>{t("step", { orders: orders.toLocaleString(), units: units.toLocaleString(), share: Math.round(share) })}</dd>
          </div>
        );
      })}
    </dl>
  );
}
