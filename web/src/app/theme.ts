import { createTheme, mergeThemeOverrides, type CSSVariablesResolver, type MantineThemeOverride } from '@mantine/core'

/** Only fonts of the machine: the console asks no other host for anything. */
const sans =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'

const base = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 8 }, // the default shades miss 4.5:1 against white text
  defaultRadius: 'md',
  fontFamily: sans,
  headings: { fontFamily: sans, fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
})

export type Layout = 'bar' | 'sidebar' | 'rail'

interface Look {
  layout: Layout
  theme: MantineThemeOverride
}

/** One API's three consoles as three looks of this one: where the menu is, the colour, how much air there is. */
const looks = {
  default: { layout: 'bar', theme: base },
  berry: {
    layout: 'sidebar',
    theme: mergeThemeOverrides(base, createTheme({ primaryColor: 'violet', defaultRadius: 'lg' })),
  },
  air: {
    layout: 'rail',
    theme: mergeThemeOverrides(
      base,
      createTheme({
        primaryColor: 'blue',
        primaryShade: { light: 8, dark: 9 },
        defaultRadius: 'sm',
        scale: 0.94,
      }),
    ),
  },
} satisfies Record<string, Look>

/** The gateway writes the option `Theme` into the page, so that nothing is drawn in another look first. */
const chosen = document.documentElement.dataset.theme
export const { layout, theme }: Look = chosen === 'berry' || chosen === 'air' ? looks[chosen] : looks.default

/** Mantine's dimmed and placeholder texts, its red of errors, its disabled colours and its links on dark miss WCAG AA. */
export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-7)',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
  },
  dark: {
    '--mantine-color-anchor': 'var(--mantine-primary-color-3)',
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-disabled': 'var(--mantine-color-dark-5)', // on a card its own colour is none
    '--mantine-color-disabled-color': 'var(--mantine-color-dark-2)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-1)',
    '--mantine-color-error': 'var(--mantine-color-red-4)',
  },
})
