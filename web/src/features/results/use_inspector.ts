import { useContext, useState } from "react";
import { useApp, usePart } from "../AppContext.ts";
import { InspectorLiesOver } from "../InspectorRoom.ts";

export interface InspectorWish {
  readonly isOpen: boolean;
  /** It covers rows. */
  readonly liesOver: boolean;
  readonly setOpen: (isOpen: boolean) => void;
}

/**
 * Whether the inspector is shown. Beside the grid it is as the user wishes, on every page; where it would cover rows it is
 * opened for that result alone, and says nothing of the wish.
 */
export function useInspector(): InspectorWish {
  const app = useApp();
  const liesOver = useContext(InspectorLiesOver);
  const wish = usePart(app.layout, ({ inspectorOpen }) => inspectorOpen);
  const [isOver, setOver] = useState(false);
  if (!liesOver && isOver) setOver(false);
  return {
    isOpen: liesOver ? isOver : wish,
    liesOver,
    setOpen: (isOpen) => (liesOver ? setOver(isOpen) : app.layout.setState({ inspectorOpen: isOpen })),
  };
}
