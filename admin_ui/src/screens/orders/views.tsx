import { DeleteOutlined, DownOutlined, StarOutlined } from "@ant-design/icons";
import { Button, Dropdown, Form, Input, Modal, type MenuProps } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useSay } from "../../ui/say";
import type { UrlFilters } from "../../ui/url_filters";
import { filtersOf, readViews, viewsKey, withView, type FILTER_NAMES, type View } from "./filters";

/** Saved filters: somebody's own, by name. */
export function Views({ filters }: { filters: UrlFilters<(typeof FILTER_NAMES)[number]> }) {
  const t = useWords("orders");
  const say = useSay("orders");
  const navigate = useNavigate();
  const { who, store } = useSession();
  const key = viewsKey(who.id, store.tenant_id);
  const [views, setViews] = useState<View[]>(() => readViews(localStorage, key));
  const [naming, setNaming] = useState(false);
  const search = filtersOf(new URLSearchParams(filters.values as Record<string, string>).toString());
  const current = views.find((view) => view.search === search);

  const keep = (next: View[]) => {
    localStorage.setItem(key, JSON.stringify(next));
    setViews(next);
  };
  const items: MenuProps["items"] = [
    { key: "all", label: t("views.all"), onClick: () => void navigate("/orders") },
    ...views.map((view) => ({
      key: `view.${view.name}`,
      label: (
        <span className="row" style={{ justifyContent: "space-between", flexWrap: "nowrap" }}>
          {view.name}
          <Button
            size="small" type="text" icon={<DeleteOutlined />} aria-label={t("views.remove", { name: view.name })}
            onClick={(event) => {
              event.stopPropagation();
              keep(views.filter((each) => each.name !== view.name));
            }}
          />
        </span>
      ),
      onClick: () => void navigate(`/orders?${view.search}`),
    })),
    ...(views.length === 0 ? [{ key: "none", disabled: true, label: t("views.none") }] : []),
    { type: "divider" as const },
    { key: "save", label: t("views.save"), icon: <StarOutlined />, disabled: !filters.any, onClick: () => setNaming(true) },
  ];
  return (
    <>
      <Dropdown menu={{ items, selectedKeys: current ? [`view.${current.name}`] : filters.any ? [] : ["all"] }} trigger={["click"]}>
        <Button>
          {current?.name ?? (filters.any ? t("views") : t("views.all"))} <DownOutlined />
        </Button>
      </Dropdown>
      {naming && (
        <NameView
          onClose={() => setNaming(false)}
          onName={(name) => {
            keep(withView(views, { name, search }));
            setNaming(false);
            say.done(t("views.saved", { name }));
          }}
        />
      )}
    </>
  );
}

function NameView({ onName, onClose }: { onName: (name: string) => void; onClose: () => void }) {
  const t = useWords("orders");
  const [form] = Form.useForm<{ name: string }>();
  return (
    <Modal open title={t("views.save")} okText={t("views.save")} cancelText={t("cancel")} onOk={() => form.submit()} onCancel={onClose}>
      <Form form={form} layout="vertical" onFinish={({ name }) => onName(name.trim())}>
        <Form.Item name="name" label={t("views.name")} rules={[{ required: true, whitespace: true, max: 40 }]}>
          <Input autoFocus maxLength={40} placeholder={t("views.name_hint")} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
