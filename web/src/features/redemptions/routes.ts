import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forAdmins } from '../../app/guard'
import { root } from '../../app/root'

const CodesPage = lazyRouteComponent(() => import('./CodesPage'), 'CodesPage')
const NewCodesPage = lazyRouteComponent(() => import('./CodePages'), 'NewCodesPage')
const CodePage = lazyRouteComponent(() => import('./CodePages'), 'CodePage')

export const routes = [
  createRoute({ getParentRoute: () => root, path: '/redemption', component: forAdmins(CodesPage) }),
  createRoute({ getParentRoute: () => root, path: '/redemption/add', component: forAdmins(NewCodesPage) }),
  createRoute({ getParentRoute: () => root, path: '/redemption/edit/$id', component: forAdmins(CodePage) }),
] as const
