import { MoreOutlined, PauseOutlined, PlayCircleOutlined, PlusOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useState } from "react";
import { lookOf, useTurnSale, type Sale } from "@/api/sales";
import { useWords } from "@/shell/words";
import { Can, useConfirm, useSay } from "@/ui";
import { Adding, Limiting, Withdrawing } from "./drawers";

/** Each says in numbers what will happen, and asks once. */
export function Acts({ sale, waiting }: { sale: Sale; waiting: number }) {
  const t = useWords("sales");
  const confirm = useConfirm("sales");
  const say = useSay("sales");
  const turn = useTurnSale();
  const [drawer, setDrawer] = useState<"add" | "withdraw" | "limit" | null>(null);
  const close = () => setDrawer(null);
  if (lookOf(sale) === "ended" && sale.state === "ended") return null;
  const left = sale.allotted - sale.committed;
  const numbers = { left: left.toLocaleString(), waiting: waiting.toLocaleString(), sold: (sale.committed - waiting).toLocaleString() };
  const more = [{ key: "withdraw", label: t("withdraw"), disabled: left === 0 }, { key: "limit", label: t("relimit") }];
  const ask = (act: "pause" | "resume" | "end") =>
    confirm({
      title: t(`${act}.title`, { name: sale.name }), text: t(`${act}.text`, numbers), ok: t(act), danger: act === "end",
      act: async () => {
        await turn.mutateAsync({ id: sale.id, act });
        say.done(t(`${act}.done`));
      },
    });
  return (
    <Can permission="sales:write">
      {sale.state === "paused" ? (
        <Button icon={<PlayCircleOutlined />} onClick={() => ask("resume")}>{t("resume")}</Button>
      ) : (
        <Button icon={<PauseOutlined />} onClick={() => ask("pause")}>{t("pause")}</Button>
      )}
      <Button icon={<PlusOutlined />} onClick={() => setDrawer("add")}>{t("add")}</Button>
      <Dropdown menu={{ items: more, onClick: ({ key }) => setDrawer(key as "withdraw" | "limit") }} trigger={["click"]}>
        <Button icon={<MoreOutlined />} aria-label={t("more")} />
      </Dropdown>
      <Button danger icon={<StopOutlined />} onClick={() => ask("end")}>{t("end")}</Button>
      <Adding sale={sale} open={drawer === "add"} onClose={close} />
      <Withdrawing sale={sale} open={drawer === "withdraw"} onClose={close} />
      <Limiting sale={sale} open={drawer === "limit"} onClose={close} />
    </Can>
  );
}
