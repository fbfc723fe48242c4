import { RocketOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/setup",
  title: "title",
  nav: { group: "home", order: 90, icon: RocketOutlined },
  permission: "store:write",
  routes: [{ path: "/setup", lazy: page(() => import("./setup")) }],
};
