import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogProps {
  title: ComponentChildren;
  /** Stands at the side, as high as the page. */
  isAside?: boolean;
  onClose: () => void;
  children: (close: () => void) => ComponentChildren;
}

/** A dialog that Escape closes too, and that gives the focus back. */
export function Dialog({ title, isAside = false, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useShown(dialog);
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      class={isAside ? 'aside' : ''}
      aria-labelledby={heading}
      onClose={onClose}
      // A click beside it closes it, where browsers know that.
      {...{ closedby: 'any' }}
    >
      <div class="sheet">
        <h2 id={heading}>{title}</h2>
        {children(close)}
      </div>
    </dialog>
  );
}

function useShown(dialog: RefObject<HTMLDialogElement | null>): void {
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
}
