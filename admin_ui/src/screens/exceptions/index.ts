import { AlertOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/exceptions",
  title: "title",
  nav: { group: "orders", order: 30, icon: AlertOutlined, shortcut: "x" },
  permission: "orders:read",
  routes: [{ path: "/exceptions", lazy: page(() => import("./list")) }],
};
