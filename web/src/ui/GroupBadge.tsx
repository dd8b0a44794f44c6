import { Badge } from '@mantine/core'

/** A user group in the colours One API has for them. */
export function GroupBadge({ name }: { name: string }) {
  const color = name === 'vip' || name === 'pro' ? 'yellow' : name === 'svip' || name === 'premium' ? 'red' : 'gray'
  return (
    <Badge variant="dot" color={color} tt="none" fw={400}>
      {name || 'default'}
    </Badge>
  )
}
