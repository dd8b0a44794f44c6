import { Badge } from '@mantine/core'

/** The word says it; the dot's colour repeats it. */
export function StateBadge({ color, label }: { color: string; label: string }) {
  // The filled shade of grey is no brighter than a badge on dark.
  const dot = color === 'gray' ? 'gray.6' : color
  return (
    <Badge variant="dot" color={dot} tt="none" fw={500} miw="max-content">
      {label}
    </Badge>
  )
}
