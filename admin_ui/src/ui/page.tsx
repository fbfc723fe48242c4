import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, type ReactNode } from "react";
import { Link } from "react-router";
import { useSession } from "../shell/session";
import { useWords } from "../shell/words";

interface Props {
  title: ReactNode;
  /** For the tab of the browser, where `title` is no text. */
  name?: string;
  /** One sentence that says what this page is for. */
  about?: ReactNode;
  /** The one thing that one comes here to do. */
  primary?: ReactNode;
  /** Beside the title: states, ids. */
  extra?: ReactNode;
  /** Further, lesser actions, before the primary one. */
  actions?: ReactNode;
  /** The page above. */
  back?: string;
  children: ReactNode;
}

export function Page({ title, name, about, primary, extra, actions, back, children }: Props) {
  const { store } = useSession();
  const t = useWords("ui");
  const spoken = name ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = spoken === "" ? store.name : `${spoken} · ${store.name}`;
  }, [spoken, store.name]);
  return (
    <>
      <header className="page-head">
        {back !== undefined && (
          <Link to={back}>
            <Button type="text" icon={<ArrowLeftOutlined />} aria-label={t("back")} tabIndex={-1} />
          </Link>
        )}
        <h1>{title}</h1>
        {extra}
        {(actions !== undefined || primary !== undefined) && (
          <div className="actions">
            {actions}
            {primary}
          </div>
        )}
        {about !== undefined && <p className="about">{about}</p>}
      </header>
      {children}
    </>
  );
}
