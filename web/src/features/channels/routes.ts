import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forAdmins } from '../../app/guard'
import { root } from '../../app/root'

const ChannelsPage = lazyRouteComponent(() => import('./ChannelsPage'), 'ChannelsPage')

export const routes = [createRoute({ getParentRoute: () => root, path: '/channel', component: forAdmins(ChannelsPage) })] as const
