import { SettingOutlined } from "@ant-design/icons";
import { Button, Checkbox, Popover, Tooltip } from "antd";
import { useState } from "react";
import { useSession } from "../shell/session";
import { useWords } from "../shell/words";

interface Choosable {
  key: string;
  title: string;
  optional?: boolean;
  always?: boolean;
}

interface Choice {
  isShown: (column: Choosable, index?: number) => boolean;
  toggle: (column: Choosable) => void;
  reset: () => void;
}

/** Which columns of a list this person wants to see, remembered on this machine. */
export function useColumnChoice(id: string, columns: Choosable[]): Choice {
  const { who } = useSession();
  const key = `tessera.columns.${who.id}.${id}`;
  const [chosen, setChosen] = useState<Record<string, boolean>>(() => read(key));
  const isShown = (column: Choosable) => column === columns[0] || column.always === true || (chosen[column.key] ?? column.optional !== true);
  const keep = (next: Record<string, boolean>) => {
    localStorage.setItem(key, JSON.stringify(next));
    setChosen(next);
  };
  return { isShown, toggle: (column) => keep({ ...chosen, [column.key]: !isShown(column) }), reset: () => keep({}) };
}

function read(key: string): Record<string, boolean> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Record<string, boolean>;
  } catch {
    return {};
  }
}

export function ColumnChoice({ columns, choice }: { columns: Choosable[]; choice: Choice }) {
  const t = useWords("ui");
  const choosable = columns.filter((column, index) => index > 0 && column.always !== true && column.title !== "");
  const content = (
    <div className="stack" style={{ gap: 6 }}>
      {choosable.map((column) => (
        <Checkbox key={column.key} checked={choice.isShown(column)} onChange={() => choice.toggle(column)}>
          {column.title}
        </Checkbox>
      ))}
      <Button size="small" type="link" onClick={choice.reset} style={{ alignSelf: "flex-start", padding: 0 }}>
        {t("list.columns_reset")}
      </Button>
    </div>
  );
  return (
    <Popover content={content} trigger="click" placement="bottomRight" title={t("list.columns")}>
      <Tooltip title={t("list.columns")}>
        <Button type="text" icon={<SettingOutlined />} aria-label={t("list.columns")} />
      </Tooltip>
    </Popover>
  );
}
