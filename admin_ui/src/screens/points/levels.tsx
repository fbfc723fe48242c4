import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Input, InputNumber, Select, Tooltip } from "antd";
import type { NewLevel } from "@/api/points";
import { useBuyerGroups } from "@/api/prices";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty } from "@/ui";
import { Field } from "../settings/parts";

const MOST = 20;

/** The ladder, from the lowest. The server says what cannot be: the same name twice, less growth than the one before. */
export function Levels({ levels, disabled, onChange }: { levels: NewLevel[]; disabled: boolean; onChange: (levels: NewLevel[]) => void }) {
  const t = useWords("points");
  const groups = useBuyerGroups(useMay()("prices:read")).data ?? [];
  const set = (at: number, changes: Partial<NewLevel>) => onChange(levels.map((level, n) => (n === at ? { ...level, ...changes } : level)));
  const add = () => onChange([...levels, { name: t("level.name", { n: levels.length + 1 }), growth: (levels.at(-1)?.growth ?? 0) + 1_000, earn_percent: 100, group_id: null }]);
  const button = (
    <Button icon={<PlusOutlined />} disabled={disabled || levels.length >= MOST} onClick={add}>{t("level.add")}</Button>
  );
  return (
    <Card size="small" title={t("section.levels")} extra={levels.length > 0 && button}>
      {levels.length === 0 && <Empty title={t("level.none")} text={t("level.none_text")} action={button} />}
      <div className="stack">
        {levels.map((level, at) => (
          <div className="row" style={{ alignItems: "flex-end" }} key={level.id ?? at}>
            <Field id={`name-${at}`} label={t("column.name")}>
              <Input id={`name-${at}`} style={{ width: 150 }} maxLength={40} disabled={disabled} value={level.name} onChange={(event) => set(at, { name: event.target.value })} />
            </Field>
            <Field id={`growth-${at}`} label={t("column.growth")}>
              <InputNumber id={`growth-${at}`} min={1} precision={0} disabled={disabled} value={level.growth} onChange={(value) => set(at, { growth: value ?? 1 })} />
            </Field>
            <Field id={`percent-${at}`} label={t("column.earn_percent")}>
              <InputNumber id={`percent-${at}`} min={100} max={1000} precision={0} suffix="%" disabled={disabled} value={level.earn_percent ?? 100} onChange={(value) => set(at, { earn_percent: value ?? 100 })} />
            </Field>
            <Field id={`group-${at}`} label={t("column.group")}>
              <Select
                id={`group-${at}`} style={{ minWidth: 170 }} allowClear disabled={disabled} placeholder={t("level.no_group")} value={level.group_id ?? null}
                onChange={(value: string | null) => set(at, { group_id: value ?? null })} options={groups.map((group) => ({ value: group.id, label: group.name }))}
              />
            </Field>
            <Tooltip title={t("level.remove")}>
              <Button aria-label={t("level.remove")} icon={<DeleteOutlined />} disabled={disabled} onClick={() => onChange(levels.filter((_, n) => n !== at))} />
            </Tooltip>
          </div>
        ))}
        {levels.length > 0 && <span className="muted">{t("about.levels")}</span>}
      </div>
    </Card>
  );
}
