import { SafetyCertificateOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/entitlements",
  title: "title",
  nav: { group: "customers", order: 20, icon: SafetyCertificateOutlined, shortcut: "e" },
  permission: "orders:read",
  routes: [{ path: "/entitlements", lazy: page(() => import("./list")) }],
};
