import { ApartmentOutlined, DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Form, Input, InputNumber, Skeleton, Tree, TreeSelect } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { treeOf, useCategories, useChangeCategory, useCreateCategory, useRemoveCategory, type Category, type CategoryNode } from "@/api/categories";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { Empty, FormDrawer, Page, ProblemNote, useConfirm, useSay } from "@/ui";

const LEVELS = 4;

interface CategoryForm {
  name: string;
  parent_id?: string | null;
  position: number;
}

/** The store's own shelves, as shoppers find them: dragged to where they belong. */
export default function Categories() {
  const t = useWords("categories");
  const may = useMay();
  const say = useSay("categories");
  const confirm = useConfirm("categories");
  const { data, error, isPending } = useCategories();
  const change = useChangeCategory();
  const remove = useRemoveCategory();
  const [edited, setEdited] = useState<Partial<Category> | null>(null);
  const canEdit = may("catalog:write");
  const categories = data ?? [];
  const siblings = (parent: string | null) => categories.filter((each) => each.parent_id === parent);

  /** Where it was let go: into a category, or before or behind one. Positions of those after it move up by ten. */
  const move = async (id: string, target: Category, gap: number) => {
    const parent = gap === 0 ? target.id : target.parent_id;
    const others = siblings(parent).filter((each) => each.id !== id);
    const at = gap === 0 ? others.length : others.findIndex((each) => each.id === target.id) + (gap > 0 ? 1 : 0);
    const order = [...others.slice(0, at).map((each) => each.id), id, ...others.slice(at).map((each) => each.id)];
    const now = new Map(categories.map((each) => [each.id, each]));
    for (const [n, each] of order.entries()) {
      const position = (n + 1) * 10;
      if (each === id) await change.mutateAsync({ id, parent_id: parent, position });
      else if (now.get(each)?.position !== position) await change.mutateAsync({ id: each, position });
    }
  };
  const title = (node: CategoryNode) => (
    <Flex gap={8} align="center">
      <span style={{ flex: 1, overflowWrap: "anywhere" }}>{node.title}</span>
      <Link to={`/products?category_id=${node.key}`} className="muted" style={{ whiteSpace: "nowrap" }}>{t("products")}</Link>
      {canEdit && (
        <span style={{ whiteSpace: "nowrap" }}>
          {node.category.level < LEVELS && <Button type="text" size="small" icon={<PlusOutlined />} aria-label={t("add_in", { name: node.title })} onClick={() => setEdited({ parent_id: node.key })} />}
          <Button type="text" size="small" icon={<EditOutlined />} aria-label={t("edit_it", { name: node.title })} onClick={() => setEdited(node.category)} />
          <Button
            type="text" size="small" icon={<DeleteOutlined />} aria-label={t("remove_it", { name: node.title })}
            onClick={() => confirm({ title: t("remove_it", { name: node.title }), text: t("remove_text"), ok: t("remove"), danger: true, act: () => remove.mutateAsync(node.key) })}
          />
        </span>
      )}
    </Flex>
  );
  const add = canEdit && <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited({})}>{t("create")}</Button>;
  return (
    <Page title={t("title")} about={t("about")} primary={add}>
      {error && <ProblemNote error={error} noun="categories" />}
      <Card size="small">
        {isPending ? (
          <Skeleton active />
        ) : categories.length === 0 ? (
          <Empty picture={<ApartmentOutlined />} title={t("empty.title")} text={t("empty.text")} action={add} />
        ) : (
          <Tree<CategoryNode>
            blockNode defaultExpandAll selectable={false} treeData={treeOf(categories)} titleRender={title} aria-label={t("title")}
            draggable={canEdit ? { icon: false } : false}
            onDrop={({ dragNode, node, dropToGap, dropPosition }) => {
              const own = Number(node.pos.split("-").at(-1));
              void move(String(dragNode.key), node.category, dropToGap ? (dropPosition > own ? 1 : -1) : 0).catch(say.problem);
            }}
          />
        )}
      </Card>
      {edited && <CategoryDrawer category={edited} categories={categories} next={(siblings(edited.parent_id ?? null).at(-1)?.position ?? 0) + 10} onClose={() => setEdited(null)} />}
    </Page>
  );
}

function CategoryDrawer({ category, categories, next, onClose }: { category: Partial<Category>; categories: Category[]; next: number; onClose: () => void }) {
  const t = useWords("categories");
  const create = useCreateCategory();
  const change = useChangeCategory();
  const { id } = category;
  return (
    <FormDrawer<CategoryForm>
      open title={t(id ? "edit" : "create")} ok={t(id ? "save" : "create")} noun="categories" onClose={onClose}
      initial={{ name: category.name ?? "", parent_id: category.parent_id ?? null, position: category.position ?? next }}
      onSubmit={({ name, parent_id = null, position }) => (id ? change.mutateAsync({ id, name, parent_id, position }) : create.mutateAsync({ name, parent_id, position }))}
    >
      <Form.Item name="name" label={t("name")} rules={[{ required: true, whitespace: true, message: t("needed") }]}>
        <Input maxLength={200} autoFocus />
      </Form.Item>
      <Form.Item name="parent_id" label={t("parent")}>
        <TreeSelect allowClear treeData={treeOf(categories.filter((each) => each.level < LEVELS && each.id !== id))} treeDefaultExpandAll placeholder={t("top")} />
      </Form.Item>
      <Form.Item name="position" label={t("position")} extra={t("position_hint")}>
        <InputNumber min={-1_000_000} max={1_000_000} precision={0} />
      </Form.Item>
    </FormDrawer>
  );
}
