import { page, type Screen } from "@/shell/screen";

/** A tab of the settings, and one page for each. */
export const screen: Screen = {
  path: "/settings/qualifications",
  title: "title",
  permission: "qualifications:write",
  routes: [
    { path: "/settings/qualifications", lazy: page(() => import("./list")) },
    { path: "/settings/qualifications/:id", lazy: page(() => import("./detail")) },
  ],
};
