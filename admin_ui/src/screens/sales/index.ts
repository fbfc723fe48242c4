import { ThunderboltOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/sales",
  title: "title",
  nav: { group: "sell", order: 40, icon: ThunderboltOutlined, shortcut: "f" },
  permission: "sales:read",
  routes: [
    { path: "/sales", lazy: page(() => import("./list")) },
    { path: "/sales/new", lazy: page(() => import("./create")) },
    { path: "/sales/:id", lazy: page(() => import("./detail")) },
  ],
};
