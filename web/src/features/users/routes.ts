import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forAdmins } from '../../app/guard'
import { root } from '../../app/root'

const UsersPage = lazyRouteComponent(() => import('./UsersPage'), 'UsersPage')
const NewUserPage = lazyRouteComponent(() => import('./UserPages'), 'NewUserPage')
const UserPage = lazyRouteComponent(() => import('./UserPages'), 'UserPage')

export const routes = [
  createRoute({ getParentRoute: () => root, path: '/user', component: forAdmins(UsersPage) }),
  createRoute({ getParentRoute: () => root, path: '/user/add', component: forAdmins(NewUserPage) }),
  createRoute({ getParentRoute: () => root, path: '/user/edit/$id', component: forAdmins(UserPage) }),
] as const
