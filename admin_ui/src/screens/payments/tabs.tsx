import { Tabs } from "antd";
import { useSearchParams } from "react-router";
import { useWords } from "../../shell/words";
import { Page } from "../../ui/page";
import { Accounts } from "./accounts";
import { Receipts } from "./receipts";
import { Refunds } from "./refunds";

const TABS = ["received", "refunds", "accounts"] as const;

/** Money that came, money that goes back, and the accounts that it moves by. */
export default function Payments() {
  const t = useWords("payments");
  const [parameters, setParameters] = useSearchParams();
  const wanted = parameters.get("tab");
  const tab = TABS.find((each) => each === wanted) ?? "received";
  const content = { received: <Receipts />, refunds: <Refunds />, accounts: <Accounts /> };
  return (
    <Page title={t("title")} about={t("about")}>
      <Tabs
        activeKey={tab} onChange={(key) => setParameters(key === "received" ? {} : { tab: key })} destroyOnHidden
        items={TABS.map((key) => ({ key, label: t(`tab.${key}`), children: content[key] }))}
      />
    </Page>
  );
}
