import { SearchOutlined } from "@ant-design/icons";
import { Input, Modal } from "antd";
import { createElement, useId, useState } from "react";
import { useNavigate } from "react-router";
import { useMenuScreens } from "./menu";
import { matches } from "./palette_match";
import { targetOf } from "./targets";
import { useTitles } from "./titles";
import { useWords } from "./words";

interface Entry {
  path: string;
  title: string;
  side: string;
  icon: React.ComponentType;
}

/** For those who hear the page only. */
const UNSEEN = { position: "absolute", width: 1, height: 1, overflow: "hidden", clipPath: "inset(50%)" } as const;

/** Goes anywhere: to a screen by its name, to a thing by its id (`ord_…`), to the orders by what was typed. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useWords("shell");
  const titleOf = useTitles();
  const navigate = useNavigate();
  const list = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const shown = useMenuScreens();
  const places: Entry[] = shown.map((screen) => ({
    path: screen.path,
    title: titleOf(screen),
    side: screen.nav?.shortcut ? `g ${screen.nav.shortcut}` : "",
    icon: screen.nav?.icon ?? SearchOutlined,
  }));
  const target = targetOf(text);
  const searches = shown
    .filter((screen) => text.trim() !== "" && ["/orders", "/products", "/customers"].includes(screen.path))
    .map((screen) => ({
      path: `${screen.path}?q=${encodeURIComponent(text.trim())}`,
      title: t("palette.find", { where: titleOf(screen), text: text.trim() }),
      side: "",
      icon: SearchOutlined,
    }));
  const entries: Entry[] = [
    ...(target ? [{ path: target, title: t("palette.open", { id: text.trim() }), side: "", icon: SearchOutlined }] : []),
    ...places.filter((entry) => matches(text, entry.title, entry.path)),
    ...(target ? [] : searches),
  ];
  const go = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    void navigate(entry.path);
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((was) => (was + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing) go(entries[at]);
  };
  return (
    <Modal open onCancel={onClose} footer={null} closable={false} title={t("search")} styles={{ header: UNSEEN }} width={560} style={{ top: 72 }}>
      <Input
        size="large"
        prefix={<SearchOutlined />}
        placeholder={t("palette.placeholder")}
        aria-label={t("search")}
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={entries[at] ? `${list}-${at}` : undefined}
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul className="palette-list" id={list} role="listbox" aria-label={t("search")}>
        {entries.map((entry, index) => (
          <li key={entry.path} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => go(entry)}>
            {createElement(entry.icon)} <span>{entry.title}</span>
            {entry.side !== "" && <kbd className="side">{entry.side}</kbd>}
          </li>
        ))}
        {entries.length === 0 && <li aria-selected={false} role="option" aria-disabled>{t("palette.nothing")}</li>}
      </ul>
    </Modal>
  );
}
