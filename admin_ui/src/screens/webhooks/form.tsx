import { Checkbox, Form, Input, Select, type FormInstance } from "antd";
import { Problem } from "@/api/problem";
import { useChangeEndpoint, useCreateEndpoint, useEvents, type Endpoint } from "@/api/webhooks";
import { useHasWord, useWords } from "@/shell/words";
import { FormDrawer } from "@/ui";

interface Wish {
  url: string;
  all: boolean;
  event_types?: string[];
  description?: string;
}

interface Props {
  open: boolean;
  endpoint: Endpoint | null;
  onClose: () => void;
  onSecret: (secret: string) => void;
}

export function EndpointForm({ open, endpoint, onClose, onSecret }: Props) {
  const t = useWords("webhooks");
  const create = useCreateEndpoint();
  const change = useChangeEndpoint();
  const send = async ({ url, all, event_types, description }: Wish) => {
    const wish = { url: url.trim(), event_types: all ? ["*"] : (event_types ?? []), description: description?.trim() ?? "" };
    if (endpoint === null) onSecret((await create.mutateAsync(wish)).secret);
    else await change.mutateAsync({ id: endpoint.id, ...wish });
  };
  const ofUrl = (error: unknown, form: FormInstance<Wish>) => {
    const problem = Problem.from(error);
    const isOfUrl = problem.code.includes("url") || problem.code.includes("address");
    if (isOfUrl) form.setFields([{ name: "url", errors: [problem.detail] }]);
    return isOfUrl;
  };
  const initial: Partial<Wish> = { url: endpoint?.url ?? "https://", all: endpoint?.event_types.includes("*") ?? false, event_types: endpoint?.event_types.filter((type) => type !== "*") ?? [], description: endpoint?.description ?? "" };
  return (
    <FormDrawer<Wish> key={endpoint?.id ?? "new"} open={open} onClose={onClose} onSubmit={send} onProblem={ofUrl} title={t(endpoint === null ? "new" : "edit")} ok={t(endpoint === null ? "create" : "save")} noun="webhooks" initial={initial} size={520}>
      <Form.Item name="url" label={t("url")} extra={t("url.about")} rules={[{ required: true, pattern: /^https?:\/\/.+/, message: t("url.wrong") }]}>
        <Input maxLength={2048} inputMode="url" />
      </Form.Item>
      <Form.Item name="all" valuePropName="checked" extra={t("all.about")}>
        <Checkbox>{t("events.all")}</Checkbox>
      </Form.Item>
      <Form.Item noStyle shouldUpdate={(was: Wish, is: Wish) => was.all !== is.all}>
        {({ getFieldValue }) => getFieldValue("all") !== true && <EventChoice />}
      </Form.Item>
      <Form.Item name="description" label={t("description")}>
        <Input maxLength={200} />
      </Form.Item>
    </FormDrawer>
  );
}

function EventChoice() {
  const t = useWords("webhooks");
  const has = useHasWord("webhooks");
  const events = useEvents();
  const options = (events.data ?? []).map((event) => ({ value: event.type, label: has(`event.${event.type}`) ? `${t(`event.${event.type}`)} · ${event.type}` : event.type, title: event.summary }));
  return (
    <Form.Item name="event_types" label={t("events")} rules={[{ required: true, type: "array", min: 1, message: t("events.missing") }]}>
      <Select mode="multiple" options={options} loading={events.isPending} showSearch={{ optionFilterProp: "label" }} maxCount={64} />
    </Form.Item>
  );
}
