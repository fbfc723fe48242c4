import { nonce } from "./shell/nonce";
import "dayjs/locale/zh-cn";
import { QueryClientProvider } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider } from "antd";
import en from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import relativeTime from "dayjs/plugin/relativeTime";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";
import { StrictMode, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./api/query";
import { Door } from "./shell/door";
import { LookProvider, tokens, useLook } from "./shell/theme";
import { chosenLanguage, load, useLanguage, WordsProvider } from "./shell/words";
import "./style.css";

dayjs.extend(utc);
dayjs.extend(timezone);
dayjs.extend(relativeTime);

function Console() {
  const { language } = useLanguage();
  const { isDark } = useLook();
  const theme = useMemo(() => tokens(isDark), [isDark]);
  dayjs.locale(language === "zh-CN" ? "zh-cn" : "en");
  return (
    <ConfigProvider csp={{ nonce }} locale={language === "zh-CN" ? zhCN : en} theme={theme} button={{ autoInsertSpace: false }} form={{ requiredMark: "optional" }}>
      <AntApp>
        <QueryClientProvider client={queries}>
          <Door />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}

const language = chosenLanguage();
const root = document.getElementById("console");
if (root !== null) {
  void load(language).then((catalogue) => {
    createRoot(root).render(
      <StrictMode>
        <LookProvider>
          <WordsProvider first={{ language, catalogue }}>
            <Console />
          </WordsProvider>
        </LookProvider>
      </StrictMode>,
    );
  });
}
