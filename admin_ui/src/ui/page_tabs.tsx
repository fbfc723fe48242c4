import { useEffect, useRef } from "react";
import { Link } from "react-router";

/** Pages beside each other under one title: links, so that each has its address. `pages` are labels by path. */
export function PageTabs({ pages, current, label }: { pages: Record<string, string>; current: string; label: string }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    const chosen = place.current?.querySelector<HTMLElement>("[aria-current]");
    if (place.current && chosen) place.current.scrollLeft = chosen.offsetLeft - place.current.offsetLeft - 24;
  }, [current]);
  return (
    <nav className="page-tabs" aria-label={label} ref={place}>
      {Object.entries(pages).map(([path, text]) => (
        <Link key={path} to={path} {...(path === current ? { "aria-current": "page" as const } : {})}>
          {text}
        </Link>
      ))}
    </nav>
  );
}
