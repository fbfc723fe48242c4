import { Button, Card, Descriptions, Drawer, Flex, Form, Input, Modal, Skeleton, Timeline } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useReplaceUnit, useUnit, type UnitAct } from "@/api/units";
import { useMay } from "@/shell/session";
import { useHasWord, useWords } from "@/shell/words";
import { Can, CopyId, Moment, ProblemNote, State, useSay } from "@/ui";
import { SkuName } from "@/ui/sku";
import { Reveal } from "./reveal";
import { UnitActs } from "./units";

/** What may be done to a unit that is in this state. */
const ACTS: Record<string, UnitAct[]> = {
  available: ["lock", "void"], locked: ["unlock", "void"], expired: ["void"], quarantined: ["void"],
};

interface Props {
  id: string;
  onClose: () => void;
  onOther: (unit: string) => void;
}

/** A unit and all that became of it. */
export function UnitDrawer({ id, onClose, onOther }: Props) {
  const t = useWords("vault");
  const has = useHasWord("vault");
  const may = useMay();
  const { data: unit, error, isPending } = useUnit(id);
  const [replacing, setReplacing] = useState(false);
  const acts = ACTS[unit?.state ?? ""] ?? [];
  return (
    <Drawer open onClose={onClose} title={t("unit.title", { id })} size={520} destroyOnHidden>
      {error && <ProblemNote error={error} noun="vault" />}
      {isPending && <Skeleton active />}
      {unit && (
        <div className="stack">
          <Descriptions
            size="small" column={1}
            items={[
              { key: "state", label: t("column.state"), children: <State kind="unit" value={unit.state} noun="vault" /> },
              { key: "sku", label: t("column.sku"), children: <SkuName id={unit.sku_id} /> },
              { key: "batch", label: t("column.batch"), children: <CopyId id={unit.batch_id} /> },
              ...(unit.order_id ? [{ key: "order", label: t("column.order"), children: <Link to={`/orders/${unit.order_id}`}>{unit.order_id}</Link> }] : []),
              ...(unit.valid_until ? [{ key: "until", label: t("column.valid_until"), children: <Moment at={unit.valid_until} exact /> }] : []),
            ]}
          />
          {unit.masked !== null && (
            <Card size="small" title={t("column.code")}>
              <Reveal key={unit.unit} unit={unit.unit} masked={unit.masked} />
            </Card>
          )}
          <Can permission="vault:write">
            <Flex gap={8} wrap>
              {acts.length > 0 && <UnitActs units={[unit.unit]} only={acts} />}
              {unit.state === "sold" && <Button size="small" onClick={() => setReplacing(true)}>{t("replace.title")}</Button>}
            </Flex>
          </Can>
          <Card size="small" title={t("unit.history")}>
            <Timeline
              items={[...unit.events].reverse().map((event, at) => ({
                key: at,
                content: (
                  <>
                    <div>
                      {has(`event.${event.act}`) ? t(`event.${event.act}`) : event.act}
                      {event.to_state && <> → <State kind="unit" value={event.to_state} noun="vault" /></>}
                    </div>
                    {event.reason && <div className="muted">{event.reason}</div>}
                    <div className="muted">
                      <Moment at={event.at} exact /> {event.actor && <CopyId id={event.actor} />} {event.order_id && <CopyId id={event.order_id} />}
                    </div>
                  </>
                ),
              }))}
            />
          </Card>
        </div>
      )}
      {replacing && unit && <Replace unit={unit.unit} onClose={() => setReplacing(false)} onDone={(other) => onOther(String(other))} />}
      {!may("codes:reveal") && unit?.masked && <p className="muted">{t("reveal.not_you")}</p>}
    </Drawer>
  );
}

function Replace({ unit, onClose, onDone }: { unit: number; onClose: () => void; onDone: (other: number) => void }) {
  const t = useWords("vault");
  const say = useSay("vault");
  const replace = useReplaceUnit();
  const send = async ({ reason }: { reason: string }) => {
    const done = await replace.mutateAsync({ unit, reason });
    say.done(t("replace.done", { id: done.replaced_by }));
    onClose();
    onDone(done.replaced_by);
  };
  return (
    <Modal
      open title={t("replace.title")} onCancel={onClose} okText={t("replace.title")} cancelText={t("cancel")}
      okButtonProps={{ htmlType: "submit", form: "replace-unit", loading: replace.isPending }}
    >
      <p>{t("replace.text")}</p>
      {replace.error && <ProblemNote error={replace.error} noun="vault" />}
      <Form id="replace-unit" layout="vertical" onFinish={(values: { reason: string }) => void send(values).catch(() => undefined)}>
        <Form.Item name="reason" label={t("reason")} rules={[{ required: true, whitespace: true, message: t("reason.needed") }]}>
          <Input maxLength={200} autoFocus />
        </Form.Item>
      </Form>
    </Modal>
  );
}
