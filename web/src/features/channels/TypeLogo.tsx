import { Box } from '@mantine/core'

/** Shades that white letters can be read on. */
const shades = ['indigo-8', 'grape-8', 'teal-9', 'blue-9', 'violet-8', 'cyan-9', 'red-9', 'pink-9', 'gray-8'] as const

/** The initials of a provider, in a colour of its own. The name stands beside it. */
export function TypeLogo({ id, name }: { id: number; name: string }) {
  const plain = name.replace(/^.*[:：]\s*/, '')
  const initials = /^[\x20-\x7e]/.test(plain) ? plain.replace(/[^A-Za-z0-9]/g, '').slice(0, 2) : plain.slice(0, 1)
  return (
    <Box
      aria-hidden
      w={24}
      h={24}
      bg={`var(--mantine-color-${shades[id % shades.length] ?? shades[0]})`}
      c="white"
      fz={11}
      fw={600}
      style={{ borderRadius: 6, display: 'grid', placeItems: 'center', flex: 'none' }}
    >
      {initials}
    </Box>
  )
}
