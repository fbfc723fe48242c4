import { SettingOutlined } from "@ant-design/icons";
import { Button, Card, Input, Modal, Select, Tag as Shown } from "antd";
import { useState } from "react";
import { useCreateTag, useDeleteTag, usePutTags, useRenameTag, useTags, type Order, type Tag } from "../../api/orders";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { shortId } from "../../ui/copy_id";
import { useSay } from "../../ui/say";

const NEW = "new:";

/** The tags of an order. A name that is not there yet is created by choosing it. */
export function TagsSection({ order }: { order: Order }) {
  const t = useWords("orders");
  const may = useMay();
  const say = useSay("orders");
  const { data: tags } = useTags();
  const put = usePutTags();
  const create = useCreateTag();
  const [typed, setTyped] = useState("");
  const [managing, setManaging] = useState(false);
  const names = new Map(tags?.map((tag) => [tag.id, tag.name]));
  const isNew = typed.trim() !== "" && !(tags ?? []).some((tag) => tag.name.toLowerCase() === typed.trim().toLowerCase());
  const choose = async (chosen: string[]) => {
    setTyped("");
    try {
      const ids = await Promise.all(chosen.map(async (id) => (id.startsWith(NEW) ? (await create.mutateAsync(id.slice(NEW.length))).id : id)));
      await put.mutateAsync({ id: order.id, tag_ids: ids });
    } catch (error) {
      say.problem(error);
    }
  };
  const manage = <Button type="text" size="small" icon={<SettingOutlined />} aria-label={t("tags.manage")} title={t("tags.manage")} onClick={() => setManaging(true)} />;
  return (
    <Card size="small" title={t("section.tags")} extra={may("orders:write") && manage}>
      {may("orders:write") ? (
        <Select
          mode="multiple" style={{ width: "100%" }} aria-label={t("tags.add")} placeholder={t("tags.add")} loading={put.isPending || create.isPending}
          value={order.tag_ids} onChange={(chosen: string[]) => void choose(chosen)} showSearch={{ optionFilterProp: "name", searchValue: typed, onSearch: setTyped }}
          notFoundContent={t("tags.none")}
          options={[
            ...(tags ?? []).map((tag) => ({ value: tag.id, label: tag.name, name: tag.name })),
            ...(isNew ? [{ value: NEW + typed.trim(), label: t("tags.create", { name: typed.trim() }), name: typed }] : []),
          ]}
        />
      ) : order.tag_ids.length === 0 ? (
        <span className="muted">{t("tags.none")}</span>
      ) : (
        order.tag_ids.map((id) => <Shown key={id}>{names.get(id) ?? shortId(id)}</Shown>)
      )}
      {managing && <ManageTags tags={tags ?? []} onClose={() => setManaging(false)} />}
    </Card>
  );
}

function ManageTags({ tags, onClose }: { tags: Tag[]; onClose: () => void }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const confirm = useConfirm("orders");
  const create = useCreateTag();
  const rename = useRenameTag();
  const remove = useDeleteTag();
  const [name, setName] = useState("");
  const add = () => {
    if (name.trim() !== "") create.mutate(name.trim(), { onSuccess: () => setName(""), onError: say.problem });
  };
  return (
    <Modal open title={t("tags.manage")} footer={null} onCancel={onClose}>
      <p className="muted">{t("tags.manage.about")}</p>
      <div className="stack" style={{ gap: 8 }}>
        <Input.Search
          maxLength={40} value={name} onChange={(event) => setName(event.target.value)} onSearch={add} aria-label={t("tags.new")} placeholder={t("tags.new")}
          enterButton="+" loading={create.isPending}
        />
        {tags.map((tag) => (
          <div key={tag.id} className="row" style={{ flexWrap: "nowrap" }}>
            <Input
              defaultValue={tag.name} maxLength={40} aria-label={t("tags.rename")}
              onBlur={(event) => {
                const next = event.target.value.trim();
                if (next !== "" && next !== tag.name) rename.mutate({ id: tag.id, name: next }, { onSuccess: () => say.done(t("tags.saved")), onError: say.problem });
              }}
            />
            <Button
              onClick={() =>
                confirm({ title: t("tags.delete.title", { name: tag.name }), text: t("tags.delete.text"), ok: t("tags.delete"), danger: true, act: () => remove.mutateAsync(tag.id) })
              }
            >
              {t("tags.delete")}
            </Button>
          </div>
        ))}
      </div>
    </Modal>
  );
}
