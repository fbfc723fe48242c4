import { ShoppingOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/orders",
  title: "title",
  nav: { group: "orders", order: 10, icon: ShoppingOutlined, shortcut: "o" },
  permission: "orders:read",
  routes: [
    { path: "/orders", lazy: page(() => import("./list")) },
    { path: "/orders/:id", lazy: page(() => import("./detail")) },
  ],
};
