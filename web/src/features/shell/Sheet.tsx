import { useApp, usePart } from "../AppContext.ts";
import { QueryPage } from "../editor/QueryPage.tsx";
import { Hello } from "./Hello.tsx";

/** The one sheet on the frame, with the active tab on it. */
export function Sheet() {
  const app = useApp();
  const activeId = usePart(app.tabs.store, (state) => state.activeId);
  return (
    <main className="sheet" id="sheet">
      {activeId === undefined ? <Hello /> : <QueryPage key={activeId} tabId={activeId} />}
    </main>
  );
}
