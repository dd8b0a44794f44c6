import { createRouter } from '@tanstack/react-router'

import { routes as about } from '../features/about/routes'
import { routes as account } from '../features/account/routes'
import { routes as channels } from '../features/channels/routes'
import { routes as chat } from '../features/chat/routes'
import { routes as dashboard } from '../features/dashboard/routes'
import { routes as home } from '../features/home/routes'
import { routes as login } from '../features/login/routes'
import { routes as logs } from '../features/logs/routes'
import { routes as playground } from '../features/playground/routes'
import { routes as profile } from '../features/profile/routes'
import { routes as redemptions } from '../features/redemptions/routes'
import { routes as settings } from '../features/settings/routes'
import { routes as tokens } from '../features/tokens/routes'
import { routes as topup } from '../features/topup/routes'
import { routes as users } from '../features/users/routes'
import { routes as oldLinks } from './oldLinks'
import { root } from './root'

/** Paths are those of One API's consoles: people have bookmarks. */
const routes = [
  ...about,
  ...account,
  ...channels,
  ...chat,
  ...dashboard,
  ...home,
  ...login,
  ...logs,
  ...playground,
  ...profile,
  ...redemptions,
  ...settings,
  ...tokens,
  ...topup,
  ...users,
  ...oldLinks,
] as const

export const router = createRouter({ routeTree: root.addChildren(routes) })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
