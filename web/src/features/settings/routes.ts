import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forRoots } from '../../app/guard'
import { root } from '../../app/root'

const SettingsPage = lazyRouteComponent(() => import('./SettingsPage'), 'SettingsPage')

/** What is everybody's own stands at /setting. */
export const routes = [
  createRoute({ getParentRoute: () => root, path: '/settings', component: forRoots(SettingsPage) }),
  createRoute({ getParentRoute: () => root, path: '/settings/$tab', component: forRoots(SettingsPage) }),
] as const
