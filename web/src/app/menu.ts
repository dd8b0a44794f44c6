import {
  IconChartBar,
  IconHome,
  IconInfoCircle,
  IconKey,
  IconListDetails,
  IconMessage,
  IconMessages,
  IconRoute,
  IconSettings,
  IconTicket,
  IconUsers,
  IconWallet,
} from '@tabler/icons-react'

/** What the menu offers, in its order, and to whom. */
export const menu = [
  { to: '/', label: 'home.title', icon: IconHome, shown: 'all' },
  { to: '/dashboard', label: 'dashboard.title', icon: IconChartBar, shown: 'users' },
  { to: '/playground', label: 'playground.title', icon: IconMessage, shown: 'users' },
  { to: '/chat', label: 'chat.title', icon: IconMessages, shown: 'users' },
  { to: '/token', label: 'tokens.title', icon: IconKey, shown: 'users' },
  { to: '/log', label: 'logs.title', icon: IconListDetails, shown: 'users' },
  { to: '/topup', label: 'topup.title', icon: IconWallet, shown: 'users' },
  { to: '/channel', label: 'channels.title', icon: IconRoute, shown: 'admins' },
  { to: '/redemption', label: 'redemptions.title', icon: IconTicket, shown: 'admins' },
  { to: '/user', label: 'users.title', icon: IconUsers, shown: 'admins' },
  { to: '/settings', label: 'settings.title', icon: IconSettings, shown: 'roots' },
  { to: '/about', label: 'about.title', icon: IconInfoCircle, shown: 'all' },
] as const
