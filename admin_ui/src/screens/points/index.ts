import { TrophyOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/points",
  title: "title",
  nav: { group: "customers", order: 20, icon: TrophyOutlined },
  permission: "points:read",
  routes: [{ path: "/points", lazy: page(() => import("./program")) }],
};
