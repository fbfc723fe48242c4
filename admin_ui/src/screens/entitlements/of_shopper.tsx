import { Button, Skeleton } from "antd";
import { useState } from "react";
import { useEntitlements, type Entitlement } from "../../api/entitlements";
import { useWords } from "../../shell/words";
import { Moment } from "../../ui/moment";
import { ProblemNote } from "../../ui/problem";
import { EntitlementState } from "./columns";
import { EntitlementDrawer } from "./drawer";

/** The newest of what a customer is entitled to. */
export function RightsOfShopper({ shopperId }: { shopperId: string }) {
  const t = useWords("entitlements");
  const { data, isPending, isError, error } = useEntitlements({ shopper_id: shopperId });
  const [open, setOpen] = useState<Entitlement | null>(null);
  if (isPending) return <Skeleton active />;
  if (isError) return <ProblemNote error={error} noun="entitlements" />;
  if (data.rows.length === 0) return <span className="muted">{t("none_of_shopper")}</span>;
  return (
    <div className="stack" style={{ gap: 6 }}>
      {data.rows.map((each) => (
        <div key={each.id} className="row">
          <span>{t(`type.${each.type}`)}</span>
          <EntitlementState value={each.state} />
          <span className="muted">
            {t("column.until")} <Moment at={each.valid_until} none={t("forever")} />
          </span>
          <Button size="small" type="link" onClick={() => setOpen(each)}>
            {t("open")}
          </Button>
        </div>
      ))}
      {open !== null && <EntitlementDrawer one={open} onClose={() => setOpen(null)} />}
    </div>
  );
}
