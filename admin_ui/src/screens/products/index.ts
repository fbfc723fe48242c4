import { AppstoreOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/products",
  title: "title",
  permission: "catalog:read",
  nav: { group: "sell", order: 10, icon: AppstoreOutlined, shortcut: "p" },
  routes: [
    { path: "/products", lazy: page(() => import("./list")) },
    { path: "/products/:id", lazy: page(() => import("./detail")) },
  ],
};
