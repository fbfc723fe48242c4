import { ApiOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/webhooks",
  title: "title",
  nav: { group: "store", order: 60, icon: ApiOutlined, shortcut: "w" },
  permission: "webhooks:read",
  routes: [
    { path: "/webhooks", lazy: page(() => import("./list")) },
    { path: "/webhooks/:id", lazy: page(() => import("./detail")) },
  ],
};
