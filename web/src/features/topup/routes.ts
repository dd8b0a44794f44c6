import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'

const TopupPage = lazyRouteComponent(() => import('./TopupPage'), 'TopupPage')

export const routes = [createRoute({ getParentRoute: () => root, path: '/topup', component: forUsers(TopupPage) })] as const
