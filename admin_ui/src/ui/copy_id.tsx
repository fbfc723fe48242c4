import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { useState } from "react";
import { useWords } from "../shell/words";

/** `ord_0199…c41f`: enough to tell it from others. */
export function shortId(id: string): string {
  return /^[a-z]{3}_[0-9a-f]{32}$/.test(id) ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useWords("ui");
  const [done, setDone] = useState(false);
  const copy = (event: React.MouseEvent) => {
    event.stopPropagation();
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    });
  };
  return (
    <Tooltip title={t(done ? "copied" : "copy")}>
      <Button
        size="small" type="text" icon={done ? <CheckOutlined /> : <CopyOutlined />} onClick={copy}
        aria-label={label === undefined ? t("copy_what", { what: text.slice(0, 40) }) : t("copy_what", { what: label })}
      />
    </Tooltip>
  );
}

/** An id as people use it: shortened to be read, whole to be copied. */
export function CopyId({ id, whole = false }: { id: string; whole?: boolean }) {
  return (
    <span className="copy-id" title={id}>
      <span>{whole ? id : shortId(id)}</span>
      <CopyButton text={id} />
    </span>
  );
}
