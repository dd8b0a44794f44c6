import { StateBadge } from './StateBadge'

/** A user group in the colours One API has for them. */
export function GroupBadge({ name }: { name: string }) {
  const color = name === 'vip' || name === 'pro' ? 'yellow' : name === 'svip' || name === 'premium' ? 'red' : 'gray'
  return <StateBadge color={color} label={name || 'default'} />
}
