import { DatePicker, Flex } from "antd";
import type { Dayjs } from "dayjs";
import { useWords } from "../shell/words";

export type Range = [Dayjs | null, Dayjs | null];

interface Props {
  id?: string;
  value?: Range | null;
  onChange?: (range: Range) => void;
  showTime?: boolean;
}

/** From one moment to another, either end open: two fields, each with a name of its own, as the library's one picker for both has not. */
export function Between({ id, value, onChange, showTime = false }: Props) {
  const t = useWords("ui");
  const [since, until] = value ?? [null, null];
  return (
    <Flex gap={8} wrap>
      <DatePicker
        {...(id ? { id } : {})} value={since} showTime={showTime} onChange={(at) => onChange?.([at, until])} placeholder={t("filters.since")}
        aria-label={t("filters.since")} style={{ flex: "1 1 140px" }} {...(until ? { maxDate: until } : {})}
      />
      <DatePicker
        value={until} showTime={showTime} onChange={(at) => onChange?.([since, at])} placeholder={t("filters.until")}
        aria-label={t("filters.until")} style={{ flex: "1 1 140px" }} {...(since ? { minDate: since } : {})}
      />
    </Flex>
  );
}
