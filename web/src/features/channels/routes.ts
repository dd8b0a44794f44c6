import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forAdmins } from '../../app/guard'
import { root } from '../../app/root'
import { readFilters } from './filters'

const ChannelsPage = lazyRouteComponent(() => import('./ChannelsPage'), 'ChannelsPage')
const NewChannelPage = lazyRouteComponent(() => import('./ChannelPages'), 'NewChannelPage')
const ChannelPage = lazyRouteComponent(() => import('./ChannelPages'), 'ChannelPage')

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/channel',
    component: forAdmins(ChannelsPage),
    validateSearch: readFilters,
  }),
  createRoute({ getParentRoute: () => root, path: '/channel/add', component: forAdmins(NewChannelPage) }),
  createRoute({ getParentRoute: () => root, path: '/channel/edit/$id', component: forAdmins(ChannelPage) }),
] as const
