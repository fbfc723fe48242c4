import type { Report } from "@/api/vault";
import { useHasWord, useWords, type Translate } from "@/shell/words";
import { csvOf } from "@/ui/csv";

export type Reasons = (reason: string) => string;

/** Why a line was not loaded, in the reader's words. */
export function useReasons(): Reasons {
  const t = useWords("vault");
  const has = useHasWord("vault");
  return (reason) => (has(`reason.${reason}`) ? t(`reason.${reason}`) : reason);
}

/** A line of the file, what is wrong with it, and the same for programs. Never what the line holds. */
export function errorFile(errors: Report["errors"], t: Translate, reasons: Reasons): string {
  return csvOf([[t("errors.line"), t("errors.kind"), t("errors.why")], ...errors.map((each) => [each.line, each.reason, reasons(each.reason)])]);
}
