import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Drawer, Form, Input, Radio, Skeleton, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { api, take } from "../../api/client";
import { useClaim, useComplete, useFail, useSendBack, useTask, type Task, type Told, type Waiting } from "../../api/fulfilments";
import { Problem } from "../../api/problem";
import { useMay, useSession } from "../../shell/session";
import { useLanguage, useWords } from "../../shell/words";
import { useActorName } from "../../ui/actor";
import { CopyButton, CopyId } from "../../ui/copy_id";
import { Moment } from "../../ui/moment";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { claimOf, sentBack } from "./age";

interface FormField {
  name: string;
  label: Record<string, string>;
}

type Way = "complete" | "send_back" | "fail";

/** One line of the queue: what is to be done, with what the shopper said, and the ways it can end. */
export function WorkDrawer({ id, row, onClose }: { id: string; row?: Waiting; onClose: () => void }) {
  const t = useWords("fulfilments");
  const may = useMay();
  const { data: task, isPending, isError, error } = useTask(id, may("orders:write"));
  return (
    <Drawer open onClose={onClose} title={task?.sku_name ?? row?.sku_name ?? t("title")} size={520} destroyOnHidden>
      {!may("orders:write") && <Alert type="info" title={t("read_only")} />}
      {isError && <ProblemNote error={error} noun="fulfilments" />}
      {may("orders:write") && isPending && <Skeleton active />}
      {task && <Work id={id} task={task} {...(row ? { row } : {})} onClose={onClose} />}
    </Drawer>
  );
}

function Work({ id, task, row, onClose }: { id: string; task: Task; row?: Waiting; onClose: () => void }) {
  const t = useWords("fulfilments");
  const say = useSay("fulfilments");
  const may = useMay();
  const { who } = useSession();
  const nameOf = useActorName();
  const claim = useClaim();
  const [way, setWay] = useState<Way>("complete");
  const { fulfilment } = task;
  const labelOf = useLabels(fulfilment.sku_id);
  const isTopUp = row?.type === "topup";
  const asked = sentBack(fulfilment.problem);
  const held = row ? claimOf(row, Date.now()) : null;
  const others = held !== null && held.by !== who.id ? held : null;
  const isMine = claim.isSuccess || held?.by === who.id;
  if (fulfilment.state !== "pending") return <Alert type="success" title={t("over")} />;
  const ways: Way[] = ["complete", ...(isTopUp && asked === null ? (["send_back"] as const) : []), ...(may("payments:write") ? (["fail"] as const) : [])];
  return (
    <div className="stack">
      <div className="row">
        <Tag>{t("due")} <Moment at={fulfilment.due_at} /></Tag>
        <span>× {task.quantity}</span>
        <Link to={`/orders/${fulfilment.order_id}`}>{t("open_order")}</Link>
        <CopyId id={fulfilment.id} />
      </div>
      {asked !== null ? (
        <Alert type="info" showIcon title={t("asked.title")} description={t("asked.text", { reason: asked })} />
      ) : (
        fulfilment.problem && <Alert type="warning" showIcon title={fulfilment.problem} />
      )}
      {others !== null && <Alert type="warning" showIcon title={t("claimed.title", { name: nameOf(others.by) })} description={t("claimed.text", { n: others.minutes })} />}
      <section>
        <h2 className="section-title">{t("said")}</h2>
        {Object.keys(task.input).length === 0 ? (
          <span className="muted">{t("said.nothing")}</span>
        ) : (
          <dl className="list-card-rest">
            {Object.entries(task.input).map(([name, value]) => (
              <div key={name} style={{ display: "contents" }}>
                <dt>{labelOf(name)}</dt>
                <dd>
                  {value} <CopyButton text={value} label={name} />
                </dd>
              </div>
            ))}
          </dl>
        )}
        <p className="muted" style={{ margin: "4px 0 0", fontSize: 12 }}>{t("said.recorded")}</p>
      </section>
      {isTopUp && asked === null && others === null && (
        <div className="row">
          <Button
            type={isMine ? "default" : "primary"} loading={claim.isPending}
            onClick={() => claim.mutate(id, { onSuccess: () => say.done(t("claim.done")) })}
          >
            {t(isMine ? "claim.longer" : "claim")}
          </Button>
          <span className="muted">{t("claim.about")}</span>
        </div>
      )}
      {claim.isError && <Claimed error={claim.error} />}
      <Radio.Group optionType="button" value={way} onChange={(event) => setWay(event.target.value as Way)} options={ways.map((value) => ({ value, label: t(`way.${value}`) }))} />
      {way === "complete" && <Complete id={id} isTopUp={isTopUp} quantity={task.quantity} onDone={onClose} />}
      {way === "send_back" && <SendBack id={id} onDone={onClose} />}
      {way === "fail" && <Fail id={id} onDone={onClose} />}
    </div>
  );
}

/** What the form called its fields, in the language of who reads; else a word of ours, or the field's name. */
function useLabels(skuId: string): (name: string) => string {
  const t = useWords("fulfilments");
  const { language } = useLanguage();
  const may = useMay();
  const { data } = useQuery({
    queryKey: ["sku-config", skuId],
    queryFn: async () => (await take(api.GET("/v1/skus/{sku_id}", { params: { path: { sku_id: skuId } } }))).config as { fields?: FormField[] },
    enabled: may("catalog:read"),
    staleTime: 300_000,
  });
  return (name) => {
    const label = data?.fields?.find((field) => field.name === name)?.label;
    const ours = t(`field.${name}`);
    return label?.[language] ?? Object.values(label ?? {})[0] ?? (ours === `field.${name}` ? name : ours);
  };
}

/** Somebody else was first: who, in words. */
function Claimed({ error }: { error: unknown }) {
  const t = useWords("fulfilments");
  const nameOf = useActorName();
  const problem = Problem.from(error);
  if (problem.code !== "claimed") return <ProblemNote error={error} noun="fulfilments" />;
  return <Alert type="warning" showIcon role="alert" title={t("claimed.title", { name: nameOf(String(problem.extra["by"])) })} description={t("claimed.first")} />;
}

function Complete({ id, isTopUp, quantity, onDone }: { id: string; isTopUp: boolean; quantity: number; onDone: () => void }) {
  const t = useWords("fulfilments");
  const say = useSay("fulfilments");
  const complete = useComplete();
  const [form] = Form.useForm<{ note?: string; code?: string; secret?: string }>();
  const go = (values: { note?: string; code?: string; secret?: string }) => {
    const filled = (text: string | undefined) => text?.trim() || null;
    const said: Told = { note: filled(values.note), code: filled(values.code), secret: filled(values.secret), valid_until: null };
    complete.mutate({ id, contents: said.note ?? said.code ?? said.secret ? [said] : [] }, {
      onSuccess: () => {
        say.done(t("complete.done"));
        onDone();
      },
    });
  };
  return (
    <Form form={form} layout="vertical" onFinish={go}>
      {complete.isError && <ProblemNote error={complete.error} noun="fulfilments" style={{ marginBottom: 12 }} />}
      <Form.Item name="note" label={t(isTopUp ? "complete.receipt" : "complete.note")} extra={t(quantity > 1 ? "complete.for_all" : "complete.seen", { n: quantity })}>
        <Input.TextArea rows={2} maxLength={2000} />
      </Form.Item>
      {!isTopUp && (
        <>
          <Form.Item name="code" label={t("complete.code")}>
            <Input maxLength={512} autoComplete="off" />
          </Form.Item>
          <Form.Item name="secret" label={t("complete.secret")}>
            <Input maxLength={512} autoComplete="off" />
          </Form.Item>
        </>
      )}
      <Button type="primary" htmlType="submit" loading={complete.isPending}>
        {t("complete.ok")}
      </Button>
    </Form>
  );
}

function SendBack({ id, onDone }: { id: string; onDone: () => void }) {
  const t = useWords("fulfilments");
  const say = useSay("fulfilments");
  const send = useSendBack();
  const go = ({ reason }: { reason: string }) =>
    send.mutate({ id, reason: reason.trim() }, {
      onSuccess: () => {
        say.done(t("send_back.done"));
        onDone();
      },
    });
  return (
    <Form layout="vertical" onFinish={go}>
      {send.isError && <ProblemNote error={send.error} noun="fulfilments" style={{ marginBottom: 12 }} />}
      <Form.Item name="reason" label={t("send_back.reason")} extra={t("send_back.about")} rules={[{ required: true, whitespace: true, max: 200 }]}>
        <Input.TextArea rows={2} maxLength={200} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={send.isPending}>
        {t("send_back.ok")}
      </Button>
    </Form>
  );
}

function Fail({ id, onDone }: { id: string; onDone: () => void }) {
  const t = useWords("fulfilments");
  const say = useSay("fulfilments");
  const fail = useFail();
  const go = ({ problem }: { problem: string }) =>
    fail.mutate({ id, problem: problem.trim() }, {
      onSuccess: () => {
        say.done(t("fail.done"));
        onDone();
      },
    });
  return (
    <Form layout="vertical" onFinish={go}>
      {fail.isError && <ProblemNote error={fail.error} noun="fulfilments" style={{ marginBottom: 12 }} />}
      <Alert type="warning" showIcon title={t("fail.about")} style={{ marginBottom: 12 }} />
      <Form.Item name="problem" label={t("fail.problem")} rules={[{ required: true, whitespace: true, max: 500 }]}>
        <Input.TextArea rows={2} maxLength={500} />
      </Form.Item>
      <Button danger type="primary" htmlType="submit" loading={fail.isPending}>
        {t("fail.ok")}
      </Button>
    </Form>
  );
}
