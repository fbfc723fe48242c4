import { Link } from "react-router";

/** Pages beside each other under one title: links, so that each has its address. `pages` are labels by path. */
export function PageTabs({ pages, current, label }: { pages: Record<string, string>; current: string; label: string }) {
  return (
    <nav className="page-tabs" aria-label={label}>
      {Object.entries(pages).map(([path, text]) => (
        <Link key={path} to={path} {...(path === current ? { "aria-current": "page" as const } : {})}>
          {text}
        </Link>
      ))}
    </nav>
  );
}
