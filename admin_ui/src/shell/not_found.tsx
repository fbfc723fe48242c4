import { CompassOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { Link } from "react-router";
import { Empty } from "../ui/empty";
import { useWords } from "./words";

export function NotFound() {
  const t = useWords("shell");
  return (
    <Empty
      picture={<CompassOutlined />}
      title={t("lost.title")}
      text={t("lost.text")}
      action={
        <Link to="/">
          <Button type="primary">{t("lost.home")}</Button>
        </Link>
      }
    />
  );
}
