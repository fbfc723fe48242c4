import { SettingOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/settings",
  title: "title",
  nav: { group: "store", order: 10, icon: SettingOutlined, shortcut: "s" },
  permission: "store:read",
  routes: [
    { path: "/settings", lazy: page(() => import("./branding")) },
    { path: "/settings/policies", lazy: page(() => import("./policies")) },
    { path: "/settings/regional", lazy: page(() => import("./regional")) },
    { path: "/settings/closing", lazy: page(() => import("./closing")) },
    { path: "/settings/domains", lazy: page(() => import("./domains")) },
    { path: "/settings/channels", lazy: page(() => import("./channels")) },
    { path: "/settings/data", lazy: page(() => import("./data")) },
  ],
};
