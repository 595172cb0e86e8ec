import { Icon } from "../../ui/Icon.tsx";
import { useApp, usePart } from "../AppContext.ts";

/** What has happened elsewhere. */
export function ToastList() {
  const app = useApp();
  const toasts = usePart(app.toasts.store, (state) => state);
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label="Notices">
      {toasts.map((toast) => (
        <div key={toast.id} className={`pop toast ${toast.tone}`}>
          <Icon name={toast.tone === "danger" ? "error" : "check"} />
          <div className="grow">
            <p>{toast.text}</p>
            {toast.detail !== undefined && <p className="dim">{toast.detail}</p>}
          </div>
          <button type="button" className="btn icon" aria-label="Close" title="Close" onClick={() => app.toasts.close(toast.id)}>
            <Icon name="close" small />
          </button>
        </div>
      ))}
    </div>
  );
}
