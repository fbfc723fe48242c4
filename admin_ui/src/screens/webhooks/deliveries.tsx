import { InboxOutlined } from "@ant-design/icons";
import { Button, Card, Descriptions, Drawer, Skeleton, Timeline } from "antd";
import { useState } from "react";
import { DELIVERY_STATES, deliveryPages, useCancelDelivery, useDelivery, useEvents, useRedeliver, type Delivery } from "@/api/webhooks";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyButton, CopyId, Empty, FilterChoice, FilterRow, ListTable, Moment, ProblemNote, State, useSay, useUrlFilters, type Column } from "@/ui";

/** The log of one endpoint; each delivery with its body and its attempts. */
export function Deliveries({ endpoint }: { endpoint: string }) {
  const t = useWords("webhooks");
  const events = useEvents();
  const filters = useUrlFilters(["type", "state"] as const);
  const [open, setOpen] = useState<string | null>(null);
  const columns: Column<Delivery>[] = [
    { key: "type", title: t("event"), render: (delivery) => <code>{delivery.type}</code> },
    { key: "state", title: t("state"), phone: "head", render: (delivery) => <State kind="delivery" value={delivery.state} noun="webhooks" /> },
    { key: "attempts", title: t("attempts"), align: "right", render: (delivery) => <span className="number">{delivery.attempts}</span> },
    { key: "made", title: t("made"), render: (delivery) => <Moment at={delivery.created_at} /> },
    { key: "finished", title: t("finished"), render: (delivery) => <Moment at={delivery.finished_at} none="–" /> },
    { key: "event_id", title: "webhook-id", optional: true, render: (delivery) => <CopyId id={delivery.event_id} /> },
  ];
  return (
    <section aria-label={t("log")}>
      <h2 style={{ fontSize: 16, margin: "8px 0" }}>{t("log")}</h2>
      <ListTable
        id="deliveries" columns={columns} pages={deliveryPages(endpoint, filters.values)} rowKey={(delivery) => delivery.id} filtered={filters.any} onClear={filters.clear}
        onOpen={(delivery) => setOpen(delivery.id)} refresh={15_000}
        filters={
          <FilterRow filters={filters}>
            <FilterChoice filters={filters} name="state" label={t("state")} options={DELIVERY_STATES.map((value) => ({ value, label: t(`state.delivery.${value}`) }))} />
            <FilterChoice filters={filters} name="type" label={t("event")} search options={(events.data ?? []).map((event) => ({ value: event.type, label: event.type }))} />
          </FilterRow>
        }
        empty={<Empty picture={<InboxOutlined />} title={t("log.empty")} text={t("log.empty_text")} />}
      />
      <Detail id={open} onClose={() => setOpen(null)} />
    </section>
  );
}

function Detail({ id, onClose }: { id: string | null; onClose: () => void }) {
  const t = useWords("webhooks");
  const may = useMay();
  const say = useSay("webhooks");
  const detail = useDelivery(id);
  const again = useRedeliver();
  const cancel = useCancelDelivery();
  const delivery = detail.data?.delivery;
  const foot = delivery !== undefined && may("webhooks:write") && (
    <div className="drawer-foot">
      {delivery.state === "waiting" && <Button danger loading={cancel.isPending} onClick={() => void cancel.mutateAsync(delivery.id).then(() => say.done(t("cancelled")), say.problem)}>{t("give_up")}</Button>}
      {delivery.state !== "waiting" && <Button type="primary" loading={again.isPending} onClick={() => void again.mutateAsync(delivery.id).then(() => say.done(t("redelivered")), say.problem)}>{t("redeliver")}</Button>}
    </div>
  );
  return (
    <Drawer open={id !== null} onClose={onClose} title={delivery?.type ?? t("log")} size={620} footer={foot || null}>
      {detail.isError && <ProblemNote error={detail.error} noun="webhooks" />}
      {detail.isPending && <Skeleton active />}
      {detail.data !== undefined && delivery !== undefined && (
        <div className="stack">
          <Descriptions
            column={1} size="small"
            items={[
              { key: "state", label: t("state"), children: <State kind="delivery" value={delivery.state} noun="webhooks" /> },
              { key: "event", label: "webhook-id", children: <CopyId id={delivery.event_id} whole /> },
              { key: "made", label: t("made"), children: <Moment at={delivery.created_at} exact /> },
            ]}
          />
          <Card size="small" title={t("body")} extra={<CopyButton text={detail.data.body} label={t("body")} />}>
            <pre style={{ margin: 0, fontSize: 12.5, whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{pretty(detail.data.body)}</pre>
          </Card>
          <Timeline
            items={detail.data.attempts.map((attempt) => ({
              color: attempt.status !== null && attempt.status < 300 ? "green" : "red",
              content: (
                <div key={attempt.request_id}>
                  <div>{attempt.status === null ? t("no_answer") : `HTTP ${attempt.status}`} · {attempt.duration_ms} ms · <Moment at={attempt.at} /></div>
                  {attempt.failure !== null && <div className="muted">{attempt.failure}</div>}
                  {attempt.answer !== "" && <code style={{ fontSize: 12, overflowWrap: "anywhere" }}>{attempt.answer}</code>}
                  <CopyId id={attempt.request_id} />
                </div>
              ),
            }))}
          />
        </div>
      )}
    </Drawer>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
