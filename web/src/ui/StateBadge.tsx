import { Badge } from '@mantine/core'

/** The word says it; the dot's colour repeats it. */
export function StateBadge({ color, label }: { color: string; label: string }) {
  return (
    <Badge variant="dot" color={color} tt="none" fw={500} miw="max-content">
      {label}
    </Badge>
  )
}
