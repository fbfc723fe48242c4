import { ClearOutlined, SearchOutlined } from "@ant-design/icons";
import { Button, DatePicker, Input, Select } from "antd";
import dayjs from "dayjs";
import { useEffect, useState, type ReactNode } from "react";
import { useSession } from "../shell/session";
import { useWords } from "../shell/words";
import type { UrlFilters } from "./url_filters";

const PAUSE_MS = 300;

/** The row of filters above a list. Put `<FilterText>`, `<FilterChoice>` and `<FilterTime>` into it. */
export function FilterRow<Name extends string>({ filters, children }: { filters: UrlFilters<Name>; children: ReactNode }) {
  const t = useWords("ui");
  return (
    <div className="list-filters" role="search">
      {children}
      {filters.any && (
        <Button type="text" icon={<ClearOutlined />} onClick={filters.clear}>
          {t("filters.clear")}
        </Button>
      )}
    </div>
  );
}

interface One<Name extends string> {
  filters: UrlFilters<Name>;
  name: Name;
  label: string;
}

/** Searches a moment after the last key. */
export function FilterText<Name extends string>({ filters, name, label, width = 240 }: One<Name> & { width?: number }) {
  const value = filters.values[name] ?? "";
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => filters.set({ [name]: text.trim() } as never), PAUSE_MS);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  return (
    <Input
      allowClear prefix={<SearchOutlined />} aria-label={label} placeholder={label} style={{ width, maxWidth: "100%" }} value={text}
      onChange={(event) => setText(event.target.value)} onPressEnter={() => filters.set({ [name]: text.trim() } as never)}
    />
  );
}

interface Choice {
  value: string;
  label: ReactNode;
}

export function FilterChoice<Name extends string>({ filters, name, label, options, search = false }: One<Name> & { options: Choice[]; search?: boolean }) {
  return (
    <Select
      allowClear showSearch={search ? { optionFilterProp: "label" } : false} aria-label={label} placeholder={label} options={options} style={{ minWidth: 130 }} popupMatchSelectWidth={false}
      value={filters.values[name] ?? null} onChange={(value: string | null) => filters.set({ [name]: value ?? "" } as never)}
    />
  );
}

/** Between two moments, in the store's zone: sets `since` (included) and `until` (not). */
export function FilterTime<Name extends string>({ filters, since, until }: { filters: UrlFilters<Name>; since: Name; until: Name }) {
  const { store } = useSession();
  const t = useWords("ui");
  const at = (name: Name) => (filters.values[name] ? dayjs(filters.values[name]).tz(store.zone) : null);
  const day = (n: number) => dayjs().tz(store.zone).startOf("day").add(n, "day");
  return (
    <DatePicker.RangePicker
      showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} aria-label={t("filters.time")} placeholder={[t("filters.since"), t("filters.until")]}
      value={[at(since), at(until)]} style={{ width: 320, maxWidth: "100%" }}
      presets={[
        { label: t("filters.today"), value: [day(0), day(1)] },
        { label: t("filters.yesterday"), value: [day(-1), day(0)] },
        { label: t("filters.week"), value: [day(-6), day(1)] },
        { label: t("filters.month"), value: [day(-29), day(1)] },
      ]}
      onChange={(range) => {
        // The picker shows the store's clock: the same digits are read in its zone.
        const moment = (picked: dayjs.Dayjs | null | undefined) => (picked ? dayjs.tz(picked.format("YYYY-MM-DDTHH:mm:ss"), store.zone).toISOString() : "");
        filters.set({ [since]: moment(range?.[0]), [until]: moment(range?.[1]) } as never);
      }}
    />
  );
}
