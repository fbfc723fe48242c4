import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Where `make up` listens, for `npm run dev` beside it. */
const api = process.env["TESSERA_API"] ?? "http://localhost:8000";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  html: { cspNonce: "__NONCE__" },
  build: {
    outDir: "../build/console",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "words-zh-CN", test: /src\/words\/zh-CN\// },
            { name: "words-en", test: /src\/words\/en\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "/v1": api, "/console/session": api, "/console/sandbox": api } },
});
