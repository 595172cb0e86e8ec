import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./styles/tokens.css";
import "./styles/app.css";
import "./styles/overlay.css";
import "./styles/connect.css";
import "./styles/query.css";
import "./styles/grid.css";
import "./styles/result.css";
import "./styles/touch.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AppContext } from "./features/AppContext.ts";
import { ComingIn, Gate } from "./features/shell/Gate.tsx";
import { holdsPage, makeApp, start } from "./state/app.ts";
import { type Layout, hearLayout, LAYOUT_KEY, parseLayout, rowHeightOf } from "./state/layout.ts";
import { partFromOriginal } from "./state/window_copy.ts";
import { browserHost, browserParts, codeOf } from "./transport/browser.ts";
import { onWake } from "./transport/wake.ts";
import { claimWindow, windowParts } from "./transport/window.ts";

/** Puts on the root what style sheets go by. */
function dress(layout: Layout): void {
  const { theme, editorSize, textSize } = layout;
  const { dataset, style } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
  style.setProperty("--row", `${rowHeightOf(layout)}px`);
  style.setProperty("--more", `${textSize - 13}px`);
  style.setProperty("--editor-size", `${editorSize}px`);
}
dress(parseLayout(localStorage.getItem(LAYOUT_KEY)));

// A new link that is opened where the page is already: the browser only changes the fragment.
addEventListener("hashchange", () => {
  if (codeOf(location.hash) !== undefined) location.reload();
});

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has the root");
const root = createRoot(element);
root.render(<ComingIn />);

// Nothing of what was stored is used before it is known whose it is.
const { isCopy } = await claimWindow(windowParts());
if (isCopy) partFromOriginal(sessionStorage);
const app = makeApp(browserHost(browserParts()), { lasting: localStorage, passing: sessionStorage, pageWidth: () => innerWidth });
app.layout.subscribe(dress);
addEventListener("storage", ({ key, newValue }) => {
  if (key === LAYOUT_KEY && newValue !== null) hearLayout(app.layout, newValue);
});
root.render(
  <StrictMode>
    <AppContext value={app}>
      <Gate />
    </AppContext>
  </StrictMode>,
);
onWake(
  () => app.events.again(),
  () => app.news.hearAll(),
  () => void app.link.check(),
);
addEventListener("beforeunload", (event) => {
  if (holdsPage(app, codeOf(location.hash) !== undefined)) event.preventDefault();
});
const flush = () => {
  app.tabs.flush();
  app.drafts.flush();
};
addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") flush();
});
void start(app);
