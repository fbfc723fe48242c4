import { TagsOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/prices",
  title: "title",
  permission: "prices:read",
  nav: { group: "sell", order: 16, icon: TagsOutlined },
  routes: [
    { path: "/prices", lazy: page(() => import("./list")) },
    { path: "/prices/groups", lazy: page(() => import("./groups")) },
    { path: "/prices/import", lazy: page(() => import("./files")) },
    { path: "/prices/:id", lazy: page(() => import("./detail")) },
  ],
};
