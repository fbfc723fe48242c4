import { TeamOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/staff",
  title: "title",
  nav: { group: "store", order: 30, icon: TeamOutlined, shortcut: "t" },
  permission: "staff:read",
  routes: [
    { path: "/staff", lazy: page(() => import("./list")) },
    { path: "/staff/invitations", lazy: page(() => import("./invitations")) },
    { path: "/staff/roles", lazy: page(() => import("./roles")) },
  ],
};
