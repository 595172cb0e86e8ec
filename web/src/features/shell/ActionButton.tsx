import type { Action } from "../../actions/action.ts";
import { Button } from "../../ui/Button.tsx";
import type { IconName } from "../../ui/Icon.tsx";
import { useApp, useKeys } from "../AppContext.ts";

interface ActionButtonProps {
  readonly action: Action;
  /** In place of the action's own name, where that is too long. */
  readonly label?: string;
  readonly icon?: IconName;
  readonly look?: "plain" | "line" | "primary";
  readonly iconOnly?: boolean;
  readonly disabled?: boolean;
  readonly className?: string;
}

/** A button that does an action. */
export function ActionButton({ action, label, icon, look, iconOnly, disabled, className }: ActionButtonProps) {
  const app = useApp();
  const keysOf = useKeys();
  return (
    <Button
      label={label ?? action.name}
      icon={icon ?? action.icon}
      keys={keysOf(action)}
      {...(look === undefined ? {} : { look })}
      {...(iconOnly === undefined ? {} : { iconOnly })}
      {...(disabled === undefined ? {} : { disabled })}
      {...(className === undefined ? {} : { className })}
      onClick={() => action.run(app)}
    />
  );
}
