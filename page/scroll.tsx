import type { ComponentChildren, Ref } from 'preact';

interface ScrollProps {
  label: string;
  /** Height in pixels. @default as high as its content, up to a limit */
  height?: number;
  element?: Ref<HTMLElement>;
  children: ComponentChildren;
}

/** A part of the page that scrolls, by the keyboard too. */
export function Scroll({ label, height, element = null, children }: ScrollProps) {
  const style = height === undefined ? {} : { height: `${height}px` };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, no key could scroll.
    <section class="scroll" aria-label={label} tabIndex={0} ref={element} style={style}>
      {children}
    </section>
  );
}
