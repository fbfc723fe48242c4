import { LogoutOutlined, MenuFoldOutlined, MenuOutlined, MenuUnfoldOutlined, SearchOutlined, ShopOutlined, UserOutlined } from "@ant-design/icons";
import { App, Button, Drawer, Dropdown, Grid, Layout, Switch } from "antd";
import { useState, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { signOut, switchMode } from "../api/session";
import { sayProblem } from "../ui/problem";
import { MainMenu } from "./menu";
import { Palette } from "./palette";
import { useSession } from "./session";
import { ShortcutHelp, useShortcuts } from "./shortcuts";
import { LanguageSwitch, SchemeSwitch } from "./switches";
import { useHasWord, useWords } from "./words";

const FOLDED = "tessera.folded";

/** Menu, search, switches, and the page between them. */
export function Frame({ children }: { children: ReactNode }) {
  const t = useWords("shell");
  const { store, mode } = useSession();
  const isWide = Grid.useBreakpoint().lg ?? true;
  const [folded, setFolded] = useState(() => localStorage.getItem(FOLDED) === "yes");
  const [drawer, setDrawer] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  useShortcuts({ search: () => setPalette(true), help: () => setHelp(true) });
  const fold = () => {
    localStorage.setItem(FOLDED, folded ? "no" : "yes");
    setFolded(!folded);
  };
  const brand = (
    <div className="shell-brand">
      <img src="/console/favicon.svg" alt="" />
      <span>{store.name}</span>
    </div>
  );
  return (
    <Layout className="shell" hasSider={isWide}>
      <a className="shell-skip" href="#page">
        {t("skip")}
      </a>
      {isWide ? (
        <Layout.Sider className="shell-sider" width={224} collapsedWidth={64} collapsed={folded} trigger={null} theme="light">
          {brand}
          <MainMenu folded={folded} />
        </Layout.Sider>
      ) : (
        <Drawer open={drawer} onClose={() => setDrawer(false)} placement="left" size={264} title={store.name} styles={{ body: { padding: "8px 0" } }}>
          <MainMenu folded={false} onGo={() => setDrawer(false)} />
        </Drawer>
      )}
      <Layout>
        {mode === "test" && <Ribbon />}
        <Layout.Header className="shell-header">
          {isWide ? (
            <Button type="text" icon={folded ? <MenuUnfoldOutlined /> : <MenuFoldOutlined />} onClick={fold} aria-label={t("fold")} aria-expanded={!folded} />
          ) : (
            <Button type="text" icon={<MenuOutlined />} onClick={() => setDrawer(true)} aria-label={t("menu")} />
          )}
          <Button className="shell-search" icon={<SearchOutlined />} onClick={() => setPalette(true)} aria-label={t("search")}>
            <span className="text">{t("search")}</span>
            <kbd>/</kbd>
          </Button>
          <span className="grow" />
          <LanguageSwitch />
          <SchemeSwitch />
          <Me />
        </Layout.Header>
        <main className="shell-content" id="page" tabIndex={-1}>
          {children}
        </main>
      </Layout>
      {palette && <Palette onClose={() => setPalette(false)} />}
      {help && <ShortcutHelp onClose={() => setHelp(false)} />}
    </Layout>
  );
}

function useModeSwitch(): { busy: boolean; change: (test: boolean) => void } {
  const { has_sandbox: hasSandbox } = useSession();
  const { notification } = App.useApp();
  const t = useWords("ui");
  const has = useHasWord("ui");
  const [busy, setBusy] = useState(false);
  const change = (test: boolean) => {
    setBusy(true);
    switchMode(test ? "test" : "live", hasSandbox)
      .catch((error: unknown) => sayProblem(notification, t, has, error))
      .finally(() => setBusy(false));
  };
  return { busy, change };
}

function Ribbon() {
  const t = useWords("shell");
  const { change } = useModeSwitch();
  return (
    <div className="shell-ribbon" role="status">
      <span>{t("test.ribbon")}</span>
      <button type="button" onClick={() => change(false)}>
        {t("test.leave")}
      </button>
    </div>
  );
}

/** The person's own menu: mode, profile, the store as shoppers see it, the way out. */
function Me() {
  const t = useWords("shell");
  const { who, store, mode } = useSession();
  const navigate = useNavigate();
  const { busy, change } = useModeSwitch();
  const items = [
    { key: "who", label: <span className="muted">{who.mail}</span>, disabled: true },
    { type: "divider" as const },
    {
      key: "mode",
      label: (
        <span className="row" style={{ justifyContent: "space-between", minWidth: 180 }}>
          {t("test.mode")} <Switch size="small" checked={mode === "test"} loading={busy} aria-label={t("test.mode")} />
        </span>
      ),
    },
    { key: "store", icon: <ShopOutlined />, label: <a href={store.url} target="_blank" rel="noreferrer">{t("to_store")}</a> },
    { key: "profile", icon: <UserOutlined />, label: t("profile") },
    { type: "divider" as const },
    { key: "out", icon: <LogoutOutlined />, label: t("sign_out") },
  ];
  const onClick = ({ key }: { key: string }) => {
    if (key === "mode") change(mode !== "test");
    if (key === "profile") void navigate("/profile");
    if (key === "out") void signOut().then(() => navigate("/"));
  };
  return (
    <Dropdown menu={{ items, onClick }} trigger={["click"]} placement="bottomRight">
      <Button type="text" icon={<UserOutlined />} aria-label={t("me")} title={who.mail} />
    </Dropdown>
  );
}
