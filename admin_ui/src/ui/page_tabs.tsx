import { Link, useLocation } from "react-router";
import "./page_tabs.css";

/** Pages that belong together, one beside the other: links, which scroll sideways where there is no room. */
export function PageTabs({ label, tabs }: { label: string; tabs: { path: string; title: string }[] }) {
  const { pathname } = useLocation();
  return (
    <nav className="page-tabs" aria-label={label}>
      {tabs.map(({ path, title }) => (
        <Link key={path} to={path} aria-current={path === pathname ? "page" : undefined}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
