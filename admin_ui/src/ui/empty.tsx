import type { ReactNode } from "react";

interface Props {
  picture?: ReactNode;
  title: string;
  text?: ReactNode;
  action?: ReactNode;
}

/** Nothing here yet: what it would be good for, and the next step. */
export function Empty({ picture, title, text, action }: Props) {
  return (
    <div className="empty">
      {picture !== undefined && <div className="picture" aria-hidden="true">{picture}</div>}
      <h2>{title}</h2>
      {text !== undefined && <p>{text}</p>}
      {action}
    </div>
  );
}
