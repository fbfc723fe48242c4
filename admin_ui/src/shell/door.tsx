import { Button, Spin } from "antd";
import { useMemo } from "react";
import { createBrowserRouter, Navigate, Outlet, RouterProvider } from "react-router";
import { useSessionQuery } from "../api/session";
import { ProblemNote } from "../ui/problem";
import { Crash } from "./crash";
import { Frame } from "./frame";
import { useMenuScreens } from "./menu";
import { NotFound } from "./not_found";
import { page, screens } from "./screen";
import { SessionProvider } from "./session";
import { SignIn } from "./sign_in";
import { useWords } from "./words";

/** Who is signed in sees the console; who is not sees the door, at the address he asked for. */
function Inside() {
  const session = useSessionQuery();
  const t = useWords("shell");
  if (session.isPending) return <Spin fullscreen description={t("loading")} />;
  if (session.isError) {
    return (
      <main className="door">
        <div className="door-box stack">
          <ProblemNote error={session.error} />
          <Button onClick={() => void session.refetch()}>{t("again")}</Button>
        </div>
      </main>
    );
  }
  const { who, store } = session.data;
  if (who === null || store === null) return <SignIn />;
  return (
    <SessionProvider session={{ ...session.data, who, store }}>
      <Frame>
        <Outlet />
      </Frame>
    </SessionProvider>
  );
}

/** Where there is no home, the first place of the menu is. */
function First() {
  const [place] = useMenuScreens();
  return place === undefined ? <NotFound /> : <Navigate to={place.path} replace />;
}

const first = screens.some((screen) => screen.path === "/") ? [] : [{ path: "/", Component: First }];

export function Door() {
  const router = useMemo(
    () =>
      createBrowserRouter(
        [
          { path: "/sign-up", lazy: page(() => import("./sign_up")), HydrateFallback: () => null },
          {
            path: "/",
            Component: Inside,
            ErrorBoundary: Crash,
            HydrateFallback: () => null,
            children: [
              {
                ErrorBoundary: Crash,
                children: [...screens.flatMap((screen) => screen.routes), ...first, { path: "*", Component: NotFound }],
              },
            ],
          },
        ],
        { basename: "/console" },
      ),
    [],
  );
  return <RouterProvider router={router} />;
}
