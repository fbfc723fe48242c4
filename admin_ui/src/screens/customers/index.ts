import { TeamOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/customers",
  title: "title",
  nav: { group: "customers", order: 10, icon: TeamOutlined, shortcut: "c" },
  permission: "customers:read",
  routes: [
    { path: "/customers", lazy: page(() => import("./list")) },
    { path: "/customers/:id", lazy: page(() => import("./detail")) },
  ],
};
