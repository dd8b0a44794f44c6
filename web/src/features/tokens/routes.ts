import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'

const TokensPage = lazyRouteComponent(() => import('./TokensPage'), 'TokensPage')

export const routes = [createRoute({ getParentRoute: () => root, path: '/token', component: forUsers(TokensPage) })] as const
