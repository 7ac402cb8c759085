import { useEffect, useState } from 'preact/hooks';

export type Scheme = 'light' | 'dark';

/** Blue, orange and violet differ for colour-blind people too, in lightness as in hue. */
const COLOURS = {
  light: {
    ok: '#2563eb',
    failed: '#c2410c',
    third: '#7c3aed',
    text: '#475569',
    grid: '#e2e8f0',
    died: '#0f172a',
  },
  dark: {
    ok: '#60a5fa',
    failed: '#fb923c',
    third: '#c4b5fd',
    text: '#94a3b8',
    grid: '#334155',
    died: '#f8fafc',
  },
};

export function colours(scheme: Scheme) {
  return COLOURS[scheme];
}

const DARK = matchMedia('(prefers-color-scheme: dark)');
const present = (): Scheme => (DARK.matches ? 'dark' : 'light');

/** The reader's colour scheme, also when it changes. */
export function useScheme(): Scheme {
  const [scheme, set] = useState(present);
  useEffect(() => {
    const change = () => set(present());
    DARK.addEventListener('change', change);
    return () => DARK.removeEventListener('change', change);
  }, []);
  return scheme;
}
