import { HomeOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/",
  title: "title",
  nav: { group: "home", order: 0, icon: HomeOutlined, shortcut: "h" },
  routes: [{ path: "/", lazy: page(() => import("./page")) }],
};
