import { Menu, type MenuProps } from "antd";
import { createElement } from "react";
import { Link, useLocation } from "react-router";
import { NAV_GROUPS, screens, type FoundScreen } from "./screen";
import { useMay } from "./session";
import { useLanguage, useWords } from "./words";
import { useTitles } from "./titles";

type Item = NonNullable<MenuProps["items"]>[number];

/** Of the screens, those that have a place in the menu and that this person may see, in order. */
export function useMenuScreens(): FoundScreen[] {
  const may = useMay();
  const order = (screen: FoundScreen) => NAV_GROUPS.indexOf(screen.nav?.group ?? "store") * 1000 + (screen.nav?.order ?? 0);
  return screens.filter((screen) => screen.nav && may(screen.permission)).sort((one, other) => order(one) - order(other));
}

export function MainMenu({ folded, onGo }: { folded: boolean; onGo?: () => void }) {
  const t = useWords("shell");
  const { language } = useLanguage();
  const titleOf = useTitles();
  const { pathname } = useLocation();
  const shown = useMenuScreens();
  const current = shown
    .filter((screen) => screen.path === pathname || pathname.startsWith(`${screen.path.replace(/\/$/, "")}/`))
    .sort((one, other) => other.path.length - one.path.length)[0];
  const items = NAV_GROUPS.flatMap<Item>((group) => {
    const inside = shown.filter((screen) => screen.nav?.group === group);
    const entries = inside.map((screen) => ({
      key: screen.path,
      icon: screen.nav && createElement(screen.nav.icon),
      label: (
        <Link to={screen.path} onClick={onGo}>
          {titleOf(screen)}
        </Link>
      ),
      title: titleOf(screen),
    }));
    if (entries.length === 0) return [];
    return group === "home" || folded ? entries : [{ key: group, type: "group" as const, label: t(`group.${group}`), children: entries }];
  });
  return (
    <nav aria-label={t("menu")} style={{ display: "contents" }} key={language}>
      <Menu className="shell-menu" mode="inline" inlineCollapsed={folded} items={items} selectedKeys={current ? [current.path] : []} />
    </nav>
  );
}
