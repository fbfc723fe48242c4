import { KeyOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/keys",
  title: "title",
  nav: { group: "store", order: 50, icon: KeyOutlined, shortcut: "k" },
  permission: "api_keys:write",
  routes: [{ path: "/keys", lazy: page(() => import("./list")) }],
};
