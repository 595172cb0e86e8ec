import { type ReactNode, useLayoutEffect, useRef } from "react";

interface DialogProps {
  readonly label: string;
  readonly className?: string;
  readonly onClose: () => void;
  /** In place of closing it at once, where a key or a click beside it would do so. */
  readonly onLeave?: (() => void) | undefined;
  readonly children: ReactNode;
}

/** A window over the page. The browser holds the focus inside, beginning where `data-first` stands, and gives it back to what opened it. */
export function Dialog({ label, className = "", onClose, onLeave = onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOver = useRef(false);
  // Before the element goes: afterwards the browser knows no more what had the focus.
  useLayoutEffect(() => {
    const element = dialog.current;
    const opener = focused(document);
    isOver.current = false;
    // A browser that gives the focus back itself does so without a caret: nothing could be typed there.
    if (opener instanceof HTMLElement) opener.blur();
    element?.showModal();
    element?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      isOver.current = true;
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={label}
      onCancel={(event) => {
        // A window over this one, and the choice of a file, are cancelled for themselves.
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        onLeave();
      }}
      // Browsers let nobody hold a window open for ever: a second Esc closes it without a question.
      onClose={(event) => {
        if (event.target === event.currentTarget && !isOver.current) onClose();
      }}
      onMouseDown={(event) => {
        // The backdrop belongs to the dialog's element, its content to elements inside.
        if (event.target === event.currentTarget) onLeave();
      }}
    >
      {children}
    </dialog>
  );
}

/** Whether a window lies over the page, wherever it is drawn. */
export function isWindowOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** What has the focus, also where that is inside a shadow root. */
function focused(root: DocumentOrShadowRoot): Element | null {
  const { activeElement } = root;
  return activeElement?.shadowRoot == null ? activeElement : focused(activeElement.shadowRoot);
}
