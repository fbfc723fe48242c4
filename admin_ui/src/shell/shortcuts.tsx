import { Modal } from "antd";
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useMenuScreens } from "./menu";
import { useTitles } from "./titles";
import { useWords } from "./words";

const PAUSE_MS = 1200; // between `g` and what follows it

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** `/` and Ctrl/Cmd+K search, `?` helps, `g` and a letter goes to a screen. Not while somebody types. */
export function useShortcuts({ search, help }: { search: () => void; help: () => void }): void {
  const navigate = useNavigate();
  const shown = useMenuScreens();
  const wentAt = useRef(0);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        search();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const afterG = event.timeStamp - wentAt.current < PAUSE_MS;
      const aim = afterG ? shown.find((screen) => screen.nav?.shortcut === event.key) : undefined;
      wentAt.current = event.key === "g" && !afterG ? event.timeStamp : -PAUSE_MS;
      if (aim !== undefined) void navigate(aim.path);
      else if (event.key === "/") search();
      else if (event.key === "?") help();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
}

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const t = useWords("shell");
  const titleOf = useTitles();
  const shown = useMenuScreens().filter((screen) => screen.nav?.shortcut);
  return (
    <Modal open onCancel={onClose} footer={null} title={t("keys.title")}>
      <dl className="keys">
        <dt>
          <kbd>/</kbd> <kbd>Ctrl</kbd>+<kbd>K</kbd>
        </dt>
        <dd>{t("keys.search")}</dd>
        {shown.map((screen) => (
          <div key={screen.path} style={{ display: "contents" }}>
            <dt>
              <kbd>g</kbd> <kbd>{screen.nav?.shortcut}</kbd>
            </dt>
            <dd>{titleOf(screen)}</dd>
          </div>
        ))}
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>{t("keys.help")}</dd>
        <dt>
          <kbd>Esc</kbd>
        </dt>
        <dd>{t("keys.close")}</dd>
      </dl>
    </Modal>
  );
}
