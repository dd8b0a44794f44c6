import { IconActivity, IconKey, IconMessage, IconRoute, IconSettings, IconTicket, IconUsers } from '@tabler/icons-react'

/** What the menu offers, in its order, and to whom. */
export const menu = [
  { to: '/', label: 'status.title', icon: IconActivity, shown: 'all' },
  { to: '/token', label: 'tokens.title', icon: IconKey, shown: 'users' },
  { to: '/channel', label: 'channels.title', icon: IconRoute, shown: 'admins' },
  { to: '/redemption', label: 'redemptions.title', icon: IconTicket, shown: 'admins' },
  { to: '/user', label: 'users.title', icon: IconUsers, shown: 'admins' },
  { to: '/settings', label: 'settings.title', icon: IconSettings, shown: 'roots' },
  { to: '/playground', label: 'playground.title', icon: IconMessage, shown: 'users' },
] as const
