import { AppstoreAddOutlined, AppstoreOutlined, PictureOutlined } from "@ant-design/icons";
import { Button, Flex } from "antd";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { pathsOf, useCategories } from "@/api/categories";
import { productPages, type Product } from "@/api/products";
import { useMay } from "@/shell/session";
import { useWords } from "@/shell/words";
import { CopyId, Empty, FilterChoice, FilterRow, FilterText, ListTable, Moment, Page, State, StoreImage, useUrlFilters, type Column } from "@/ui";
import { NewProductDrawer } from "./form";

export default function ProductList() {
  const t = useWords("products");
  const may = useMay();
  const navigate = useNavigate();
  const categories = useCategories().data ?? [];
  const paths = pathsOf(categories);
  const filters = useUrlFilters(["q", "category_id", "state"] as const);
  const [making, setMaking] = useState(false);
  const columns: Column<Product>[] = [
    {
      key: "name", title: t("column.product"), width: 320,
      render: (product) => (
        <Flex gap={10} align="center">
          <Face product={product} />
          <Link to={`/products/${product.id}`} style={{ overflowWrap: "anywhere" }}>{product.name}</Link>
        </Flex>
      ),
    },
    { key: "state", title: t("column.state"), phone: "head", render: (product) => <ProductState product={product} /> },
    { key: "category", title: t("column.category"), render: (product) => (product.category_id ? (paths.get(product.category_id) ?? "–") : <span className="muted">{t("no_category")}</span>) },
    { key: "kind", title: t("column.kind"), optional: true, render: (product) => t(`kind.${product.category}`) },
    { key: "options", title: t("column.options"), render: (product) => product.options.map((option) => option.name).join("、") || "–" },
    { key: "reference", title: t("column.reference"), optional: true, render: (product) => product.reference ?? "–" },
    { key: "schedule", title: t("column.schedule"), optional: true, render: (product) => <Moment at={product.publish_at ?? product.unpublish_at} none="–" /> },
    { key: "when", title: t("column.when"), render: (product) => <Moment at={product.created_at} /> },
    { key: "id", title: t("column.id"), optional: true, render: (product) => <CopyId id={product.id} /> },
  ];
  const create = may("catalog:write") && (
    <Button type="primary" icon={<AppstoreAddOutlined />} onClick={() => setMaking(true)}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} about={t("about")} primary={create} actions={may("catalog:write") && <Link to="/skus/files"><Button tabIndex={-1}>{t("files")}</Button></Link>}>
      <ListTable
        id="products" columns={columns} pages={productPages(filters.values)} rowKey={(product) => product.id}
        onOpen={(product) => void navigate(`/products/${product.id}`)} filtered={filters.any} onClear={filters.clear}
        filters={
          <FilterRow filters={filters}>
            <FilterText filters={filters} name="q" label={t("filter.q")} />
            <FilterChoice filters={filters} name="category_id" label={t("column.category")} search options={categories.map((each) => ({ value: each.id, label: paths.get(each.id) }))} />
            <FilterChoice filters={filters} name="state" label={t("column.state")} options={["draft", "published", "archived"].map((value) => ({ value, label: t(`state.product.${value}`) }))} />
          </FilterRow>
        }
        empty={<Empty picture={<AppstoreOutlined />} title={t("empty.title")} text={t("empty.text")} action={create} />}
      />
      {making && <NewProductDrawer onClose={() => setMaking(false)} onMade={(id) => void navigate(`/products/${id}`)} />}
    </Page>
  );
}

function Face({ product }: { product: Product }) {
  const style = { width: 36, height: 36, borderRadius: 6, objectFit: "cover", flex: "none" } as const;
  const [first] = product.images;
  return first ? (
    <StoreImage path={first.path} alt="" style={style} />
  ) : (
    <span aria-hidden="true" style={{ ...style, display: "grid", placeItems: "center", background: "var(--ant-color-fill-tertiary)", color: "var(--ant-color-text-quaternary)" }}>
      <PictureOutlined />
    </span>
  );
}

/** Its own state, and beside it what the platform's review says where that says anything. */
export function ProductState({ product }: { product: Product }) {
  return (
    <span className="row" style={{ gap: 0 }}>
      <State kind="product" value={product.state} noun="products" />
      {product.moderation !== "clear" && <State kind="moderation" value={product.moderation} noun="products" tone={product.moderation === "refused" ? "bad" : "warn"} />}
    </span>
  );
}
