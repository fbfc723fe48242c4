import { Alert, Button, Modal } from "antd";
import type { ReactNode } from "react";
import { useWords } from "../shell/words";
import { CopyButton } from "./copy_id";

/** Something that is shown once. It stays until it is said to be kept: no click beside it loses it. */
export function SecretModal({ title, secret, about, onClose, children }: { title: string; secret: string; about?: string; onClose: () => void; children?: ReactNode }) {
  const t = useWords("ui");
  return (
    <Modal open title={title} closable={false} mask={{ closable: false }} keyboard={false} footer={<Button type="primary" onClick={onClose}>{t("secret.kept")}</Button>}>
      <div className="stack">
        <Alert type="warning" showIcon title={about ?? t("secret.once")} />
        <div className="secret">
          <span data-testid="secret">{secret}</span>
          <CopyButton text={secret} label={title} />
        </div>
        {children}
      </div>
    </Modal>
  );
}
