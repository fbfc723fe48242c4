import { BulbOutlined, GlobalOutlined, MoonOutlined, SunOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useLook, type Scheme } from "./theme";
import { LANGUAGES, useLanguage, useWords, type Language } from "./words";

export function LanguageSwitch() {
  const { language, speak } = useLanguage();
  const t = useWords("shell");
  const items = Object.entries(LANGUAGES).map(([key, label]) => ({ key, label }));
  return (
    <Dropdown menu={{ items, selectedKeys: [language], onClick: ({ key }) => speak(key as Language) }} trigger={["click"]}>
      <Button type="text" icon={<GlobalOutlined />} aria-label={t("language")} title={t("language")} />
    </Dropdown>
  );
}

const SCHEMES: Scheme[] = ["system", "light", "dark"];

export function SchemeSwitch() {
  const { scheme, choose, isDark } = useLook();
  const t = useWords("shell");
  const icon = scheme === "system" ? <BulbOutlined /> : isDark ? <MoonOutlined /> : <SunOutlined />;
  const items = SCHEMES.map((key) => ({ key, label: t(`scheme.${key}`) }));
  return (
    <Dropdown menu={{ items, selectedKeys: [scheme], onClick: ({ key }) => choose(key as Scheme) }} trigger={["click"]}>
      <Button type="text" icon={icon} aria-label={t("scheme")} title={t("scheme")} />
    </Dropdown>
  );
}
