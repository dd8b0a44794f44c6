import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'
import type { Metric } from './sums'

const DashboardPage = lazyRouteComponent(() => import('./DashboardPage'), 'DashboardPage')

const spans = [1, 7, 30]
const metrics: readonly string[] = ['cost', 'requests', 'tokens'] satisfies Metric[]

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/dashboard',
    component: forUsers(DashboardPage),
    validateSearch: ({ days, metric, all }: Record<string, unknown>): { days?: number; metric?: Metric; all?: boolean } => ({
      days: spans.find((span) => span === days),
      metric: metrics.find((each) => each === metric) as Metric | undefined,
      all: all === true || undefined,
    }),
  }),
] as const
