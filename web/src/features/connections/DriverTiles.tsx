import type { PluginInfo } from "../../gen/plugin/v1/plugin_pb.ts";
import { Icon } from "../../ui/Icon.tsx";
import { driverIcon } from "./driver_icon.ts";

interface DriverTilesProps {
  readonly drivers: readonly PluginInfo[];
  readonly chosen: string;
  readonly onChoose: (driverType: string) => void;
  /** Takes connections from elsewhere. Absent: not here. */
  readonly onImport: (() => void) | undefined;
}

/** The kinds of database that there are drivers for: one stop of the Tab key, with arrows among them. */
export function DriverTiles({ drivers, chosen, onChoose, onImport }: DriverTilesProps) {
  const at = drivers.findIndex(({ driverType }) => driverType === chosen);
  return (
    <div className="tiles">
      <div
        role="radiogroup"
        aria-label="Kind of database"
        className="tile-list"
        onKeyDown={(event) => {
          const by: Partial<Record<string, number>> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
          const next = by[event.key] === undefined ? undefined : drivers.at((at + (by[event.key] ?? 0)) % drivers.length);
          if (next === undefined) return;
          event.preventDefault();
          onChoose(next.driverType);
          const group = event.currentTarget;
          requestAnimationFrame(() => group.querySelector<HTMLElement>('[aria-checked="true"]')?.focus());
        }}
      >
        {drivers.map(({ driverType, name, iconName }, index) => (
          <button
            key={driverType}
            type="button"
            className="tile"
            role="radio"
            aria-checked={driverType === chosen}
            tabIndex={driverType === chosen || (at < 0 && index === 0) ? 0 : -1}
            onClick={() => onChoose(driverType)}
          >
            <Icon name={driverIcon(iconName)} />
            <span>{name}</span>
          </button>
        ))}
      </div>
      {onImport !== undefined && (
        <button type="button" className="more-tiles" onClick={onImport}>
          <Icon name="clip" />
          <span>Import…</span>
        </button>
      )}
    </div>
  );
}
