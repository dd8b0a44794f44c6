import { createRouter } from '@tanstack/react-router'

import { routes as channels } from '../features/channels/routes'
import { routes as login } from '../features/login/routes'
import { routes as playground } from '../features/playground/routes'
import { routes as redemptions } from '../features/redemptions/routes'
import { routes as settings } from '../features/settings/routes'
import { routes as status } from '../features/status/routes'
import { routes as tokens } from '../features/tokens/routes'
import { routes as users } from '../features/users/routes'
import { root } from './root'

/** Paths are those of One API's consoles: people have bookmarks. */
const routes = [...channels, ...login, ...playground, ...redemptions, ...settings, ...status, ...tokens, ...users] as const

export const router = createRouter({ routeTree: root.addChildren(routes) })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
