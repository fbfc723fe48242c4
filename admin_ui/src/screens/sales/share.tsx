import { QRCode, Select } from "antd";
import { useState } from "react";
import { useSaleChannels, useStoreChannels, type Sale } from "@/api/sales";
import { useMay, useSession } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyButton } from "@/ui";

/** The address of a sale's page; orders by it carry the channel it names. */
export function saleUrl(store: string, id: string, channel: string | null): string {
  const url = new URL(`/sales/${id}`, store);
  if (channel !== null) url.searchParams.set("channel", channel);
  return url.toString();
}

export function Share({ sale }: { sale: Sale }) {
  const t = useWords("sales");
  const may = useMay();
  const { store } = useSession();
  const channels = useStoreChannels(may("store:read")).data ?? [];
  const shown = useSaleChannels(sale.id).data?.channels ?? null;
  const [channel, setChannel] = useState<string | null>(null);
  const url = saleUrl(store.url, sale.id, channel);
  const options = channels.filter((each) => each.is_enabled && (shown === null || shown.includes(each.code))).map((each) => ({ value: each.code, label: each.name }));
  return (
    <div className="stack">
      {options.length > 0 && (
        <Select allowClear aria-label={t("share.channel")} placeholder={t("share.channel")} options={options} value={channel} onChange={(value: string | null) => setChannel(value ?? null)} />
      )}
      <div className="row" style={{ flexWrap: "nowrap" }}>
        <a href={url} target="_blank" rel="noreferrer" style={{ overflowWrap: "anywhere" }}>{url}</a>
        <CopyButton text={url} label={t("share.link")} />
      </div>
      <QRCode value={url} type="svg" size={160} color="#000000" bgColor="#ffffff" aria-label={t("share.code", { url })} />
      <p className="muted" style={{ margin: 0 }}>{t("share.about")}</p>
    </div>
  );
}
