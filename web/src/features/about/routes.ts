import { createRoute } from '@tanstack/react-router'

import { root } from '../../app/root'
import { AboutPage } from './AboutPage'

export const routes = [createRoute({ getParentRoute: () => root, path: '/about', component: AboutPage })] as const
