import { useWords } from "@/shell/words";
import { Page } from "@/ui";
import Guide from "./guide";

/** The guide by itself; home shows it too. */
export default function Setup() {
  const t = useWords("setup");
  return (
    <Page title={t("title")} about={t("about")}>
      <Guide />
    </Page>
  );
}
