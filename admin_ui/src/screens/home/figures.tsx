import { ArrowDownOutlined, ArrowUpOutlined, InfoCircleOutlined } from "@ant-design/icons";
import { Tooltip } from "antd";
import type { ReactNode } from "react";
import type { Day } from "@/api/overview";
import { useWords } from "@/shell/words";
import { Money } from "@/ui";

type Sums = Day["today"][number];

/** Today beside yesterday up to the same time; a row for each currency that something was sold in. */
export function Figures({ day }: { day: Day }) {
  const t = useWords("home");
  const before = new Map(day.before.map((sums) => [sums.currency, sums]));
  return (
    <>
      {day.today.map((today) => (
        <dl className="figures" key={today.currency} style={{ margin: 0 }}>
          <Figure name="orders" today={today} before={before.get(today.currency)} of={(sums) => sums.orders} beside={t("paid_of", { n: today.paid })} />
          <Figure
            name="paid" today={today} before={before.get(today.currency)} of={(sums) => sums.paid_minor}
            show={(minor) => <Money minor={minor} currency={today.currency} />}
          />
          <Figure name="delivered" today={today} before={before.get(today.currency)} of={(sums) => sums.delivered} />
          <Figure
            name="refunds" today={today} before={before.get(today.currency)} of={(sums) => sums.refunded_minor}
            show={(minor) => <Money minor={minor} currency={today.currency} />} beside={t("refunds_of", { n: today.refunds })}
          />
        </dl>
      ))}
    </>
  );
}

interface Props {
  name: string;
  today: Sums;
  before: Sums | undefined;
  of: (sums: Sums) => number;
  show?: (value: number) => ReactNode;
  beside?: ReactNode;
}

function Figure({ name, today, before, of, show = (value) => value.toLocaleString(), beside }: Props) {
  const t = useWords("home");
  const value = of(today);
  const was = before === undefined ? 0 : of(before);
  return (
    <div className="figure">
      <dt>
        {t(`figure.${name}`)}
        <Tooltip title={t(`figure.${name}.about`)}>
          <InfoCircleOutlined tabIndex={0} aria-label={t(`figure.${name}.about`)} />
        </Tooltip>
      </dt>
      <dd className="big" data-figure={name}>
        {show(value)}
      </dd>
      <dd className="beside">
        <Change value={value} was={was} />
        <span>
          {t("yesterday")} {show(was)}
        </span>
        {beside !== undefined && <span>· {beside}</span>}
      </dd>
    </div>
  );
}

function Change({ value, was }: { value: number; was: number }) {
  const t = useWords("home");
  if (was === 0 || value === was) return null;
  const percent = Math.round((Math.abs(value - was) / was) * 100);
  return (
    <span className="number">
      {value > was ? <ArrowUpOutlined aria-label={t("more_than")} /> : <ArrowDownOutlined aria-label={t("less_than")} />} {percent}%
    </span>
  );
}
