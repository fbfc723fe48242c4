import { TableOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/skus",
  title: "title",
  permission: "catalog:read",
  nav: { group: "sell", order: 12, icon: TableOutlined, shortcut: "k" },
  routes: [
    { path: "/skus", lazy: page(() => import("./list")) },
    { path: "/skus/files", lazy: page(() => import("./files")) },
  ],
};
