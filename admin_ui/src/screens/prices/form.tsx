import { useQuery } from "@tanstack/react-query";
import { Form, Input, Select, Switch } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { api, take } from "@/api/client";
import { useBuyerGroups, type PriceList } from "@/api/prices";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Between } from "@/ui/between";

export interface ListForm {
  name: string;
  group_id?: string | null;
  channel?: string | null;
  window?: [Dayjs | null, Dayjs | null] | null;
  on: boolean;
}

/** Moments are typed on the store's clock: `window` holds them already moved to its zone. */
export function bodyOf({ name, group_id = null, channel = null, window, on }: ListForm) {
  const moment = (at: Dayjs | null | undefined) => at?.toISOString() ?? null;
  return { name: name.trim(), group_id, channel: channel || null, starts_at: moment(window?.[0]), ends_at: moment(window?.[1]), state: on ? ("on" as const) : ("off" as const) };
}

export function formOf(list: PriceList, zone: string): ListForm {
  const local = (at: string | null) => (at ? dayjs(at).tz(zone) : null);
  return { name: list.name, group_id: list.group_id, channel: list.channel, window: [local(list.starts_at), local(list.ends_at)], on: list.state === "on" };
}

function useChannels() {
  const may = useMay();
  return useQuery({ queryKey: ["channels"], enabled: may("store:read"), staleTime: 300_000, queryFn: () => take(api.GET("/v1/channels")).then((found) => found.channels) });
}

/** For whom, where and when a list holds. */
export function ListFields() {
  const t = useWords("prices");
  const { store } = useSession();
  const groups = useBuyerGroups().data ?? [];
  const channels = useChannels().data ?? [];
  const zoned = (range: [Dayjs | null, Dayjs | null] | null) =>
    range?.map((at) => (at ? dayjs.tz(at.format("YYYY-MM-DDTHH:mm:ss"), store.zone) : null)) as ListForm["window"];
  return (
    <>
      <Form.Item name="name" label={t("column.name")} rules={[{ required: true, whitespace: true, message: t("needed") }]}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="group_id" label={t("column.group")} extra={t("field.group_hint")}>
        <Select allowClear placeholder={t("everyone")} options={groups.map((group) => ({ value: group.id, label: group.name }))} />
      </Form.Item>
      <Form.Item name="channel" label={t("column.channel")}>
        <Select allowClear placeholder={t("every_channel")} options={channels.map((channel) => ({ value: channel.code, label: channel.name }))} />
      </Form.Item>
      <Form.Item name="window" label={t("field.window")} extra={t("field.window_hint", { zone: store.zone })} getValueFromEvent={zoned}>
        <Between showTime />
      </Form.Item>
      <Form.Item name="on" label={t("field.on")} valuePropName="checked" extra={t("field.on_hint")}>
        <Switch />
      </Form.Item>
    </>
  );
}
