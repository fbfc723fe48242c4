import { AuditOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/audit",
  title: "title",
  nav: { group: "store", order: 70, icon: AuditOutlined, shortcut: "a" },
  permission: "audit:read",
  routes: [{ path: "/audit", lazy: page(() => import("./list")) }],
};
