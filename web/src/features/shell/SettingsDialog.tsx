import { type Density, TEXT_SIZES, type Theme } from "../../state/layout.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { useApp, usePart } from "../AppContext.ts";
import { ShortcutList } from "./ShortcutList.tsx";

const KEEPING = {
  unknown: "In this page.",
  sealed: "In Core's store, sealed under its master key, and in this page.",
  memory: "In Core's memory until it ends, for it has no master key, and in this page.",
  plain: "In Core's store, unencrypted, as its operator has set it, and in this page.",
} as const;

const SETTINGS_KEEPING = {
  unknown: "In this browser.",
  sealed: "In this browser, and in Core's store for the next one.",
  memory: "In this browser, and in Core's memory until it ends.",
  plain: "In this browser, and in Core's store for the next one.",
} as const;

/** How the page looks and behaves, and where things are kept. */
export function SettingsDialog({ onClose }: { readonly onClose: () => void }) {
  const app = useApp();
  const layout = usePart(app.layout, (kept) => kept);
  const keeping = usePart(app.drafts.keeping, ({ value }) => value);
  return (
    <Dialog label="Settings" className="dialog settings" onClose={onClose}>
      <div className="head">
        <h2>Settings</h2>
        <span className="grow" />
        <Button label="Close" icon="close" iconOnly keys="Esc" onClick={onClose} />
      </div>
      <div className="settings-body" tabIndex={0} role="region" aria-label="All settings">
        <h3>Appearance</h3>
        <div className="export-line">
          <span>Theme</span>
          <Segments<Theme>
            label="Theme"
            segments={[
              { value: "system", label: "System" },
              { value: "light", label: "Light" },
              { value: "dark", label: "Dark" },
            ]}
            value={layout.theme}
            onChange={(theme) => app.layout.setState({ theme })}
          />
        </div>
        <div className="export-line">
          <span>Density of rows</span>
          <Segments<Density>
            label="Density of rows"
            segments={[
              { value: "compact", label: "Compact" },
              { value: "normal", label: "Normal" },
              { value: "roomy", label: "Roomy" },
            ]}
            value={layout.density}
            onChange={(density) => app.layout.setState({ density })}
          />
        </div>
        <div className="export-line">
          <span>Text size</span>
          <Segments<number>
            label="Text size"
            segments={TEXT_SIZES.map((size) => ({ value: size, label: String(size) }))}
            value={layout.textSize}
            onChange={(textSize) => app.layout.setState({ textSize })}
          />
        </div>
        <div className="export-line">
          <span>Editor text size</span>
          <Segments<number>
            label="Editor text size"
            segments={[11, 12, 13, 14, 16, 18].map((size) => ({ value: size, label: String(size) }))}
            value={layout.editorSize}
            onChange={(editorSize) => app.layout.setState({ editorSize })}
          />
        </div>
        <h3>Where things are kept</h3>
        <dl className="kept">
          <div>
            <dt>What you type</dt>
            <dd>{KEEPING[keeping]}</dd>
          </div>
          <div>
            <dt>Results</dt>
            <dd>By Core, sealed with a key in its memory alone; gone with their tab, or when Core ends.</dd>
          </div>
          <div>
            <dt>These settings</dt>
            <dd>{SETTINGS_KEEPING[keeping]}</dd>
          </div>
        </dl>
        <ShortcutList />
      </div>
    </Dialog>
  );
}
