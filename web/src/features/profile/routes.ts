import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'

const ProfilePage = lazyRouteComponent(() => import('./ProfilePage'), 'ProfilePage')

export const routes = [createRoute({ getParentRoute: () => root, path: '/profile', component: forUsers(ProfilePage) })] as const
