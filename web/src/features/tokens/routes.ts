import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'

const TokensPage = forUsers(lazyRouteComponent(() => import('./TokensPage'), 'TokensPage'))

export const routes = [
  createRoute({ getParentRoute: () => root, path: '/token', component: TokensPage }),
  createRoute({ getParentRoute: () => root, path: '/token/add', component: TokensPage }),
  createRoute({ getParentRoute: () => root, path: '/token/edit/$id', component: TokensPage }),
] as const
