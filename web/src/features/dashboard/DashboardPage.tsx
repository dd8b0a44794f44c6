import { Card, Center, Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import { isAdmin, useUser } from '../../app/session'
import { Failure } from '../../ui/Failure'
import { useFigures } from '../../ui/figures'
import { Page } from '../../ui/Page'
import { Ranking } from '../../ui/Ranking'
import { useChannelNames } from '../logs/api'
import { useShares, useUsage } from './api'
import { byModel, lastDays, measure, total, type Metric } from './sums'

const Chart = lazy(() => import('./Chart'))

export const spans = [1, 7, 30] as const
export const metrics = ['cost', 'requests', 'tokens'] as const
const MOST = 10

export function DashboardPage() {
  const { t } = useTranslation()
  const { days = 7, metric = 'cost', all } = useSearch({ from: '/dashboard' })
  const user = useUser()
  const navigate = useNavigate({ from: '/dashboard' })
  const everybody = isAdmin(user) && all === true
  const usage = useUsage(days, everybody)
  const change = (search: { days?: number; metric?: Metric; all?: boolean }) =>
    void navigate({ search: (was) => ({ ...was, ...search }), replace: true })
  const format = useFormat(metric)
  const bars = usage.data ?? []
  return (
    <Page
      title={t('dashboard.title')}
      intro={t(everybody ? 'dashboard.introAll' : 'dashboard.intro')}
      actions={
        <Group gap="sm">
          {isAdmin(user) && (
            <SegmentedControl
              aria-label={t('dashboard.whose')}
              value={everybody ? 'all' : 'own'}
              onChange={(value) => change({ all: value === 'all' || undefined })}
              data={[
                { value: 'own', label: t('dashboard.own') },
                { value: 'all', label: t('dashboard.all') },
              ]}
            />
          )}
          <SegmentedControl
            aria-label={t('dashboard.span')}
            value={String(days)}
            onChange={(value) => change({ days: Number(value) })}
            data={spans.map((span) => ({ value: String(span), label: t(`dashboard.spans.days${span}`) }))}
          />
        </Group>
      }
    >
      {usage.isError && <Failure error={usage.error} retry={usage.refetch} />}
      {usage.isPending && <Skeleton h={420} />}
      {usage.isSuccess && (
        <>
          <Totals days={days} everybody={everybody} />
          <Card withBorder p="lg">
            <Group justify="space-between" mb="md">
              <Title order={2} size="h4">
                {t(days === 1 ? 'dashboard.byModel' : 'dashboard.byDay')}
              </Title>
              <SegmentedControl
                size="xs"
                aria-label={t('dashboard.metric')}
                value={metric}
                onChange={(value) => change({ metric: value })}
                data={metrics.map((each) => ({ value: each, label: t(`dashboard.metrics.${each}`) }))}
              />
            </Group>
            {bars.length === 0 ? (
              <Nothing />
            ) : days === 1 ? (
              <Models />
            ) : (
              <Suspense fallback={<Skeleton h={280} />}>
                <Chart bars={bars} metric={metric} days={days} format={format} />
              </Suspense>
            )}
          </Card>
          {bars.length > 0 && (days > 1 || everybody) && (
            <SimpleGrid cols={{ base: 1, md: everybody ? 3 : 1 }}>
              {days > 1 && (
                <Card withBorder p="lg">
                  <Title order={2} size="h4" mb="md">
                    {t('dashboard.byModel')}
                  </Title>
                  <Models />
                </Card>
              )}
              {everybody && <Shares by="users" days={days} metric={metric} />}
              {everybody && <Shares by="channels" days={days} metric={metric} />}
            </SimpleGrid>
          )}
        </>
      )}
    </Page>
  )

  function Models() {
    return (
      <Ranking
        format={format}
        rows={byModel(bars, metric)
          .slice(0, MOST)
          .map(({ name, value }) => ({ name: name || t('dashboard.unnamed'), value }))}
      />
    )
  }
}

function useFormat(metric: Metric): (value: number) => string {
  const figures = useFigures()
  return metric === 'cost' ? figures.quota : figures.short
}

function Nothing() {
  const { t } = useTranslation()
  return (
    <Center mih={160}>
      <Text c="dimmed">{t('dashboard.nothing')}</Text>
    </Center>
  )
}

/** The sums of the span, today's part of them, and what is left. */
function Totals({ days, everybody }: { days: number; everybody: boolean }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const user = useUser()
  const bars = useUsage(days, everybody).data ?? []
  const sums = total(bars)
  const [today] = lastDays(1)
  const now = total(bars.filter((bar) => bar.Day === today))
  const input = bars.reduce((so, bar) => so + bar.PromptTokens, 0)
  const part = (text: string) => (days > 1 ? t('dashboard.today', { value: text }) : undefined)
  const cards = [
    { name: t('dashboard.metrics.cost'), value: figures.quota(sums.cost), hint: part(figures.quota(now.cost)) },
    { name: t('dashboard.metrics.requests'), value: figures.count(sums.requests), hint: part(figures.count(now.requests)) },
    {
      name: t('dashboard.metrics.tokens'),
      value: figures.short(sums.tokens),
      hint: t('dashboard.inOut', { input: figures.short(input), output: figures.short(sums.tokens - input) }),
    },
    everybody
      ? {
          name: t('dashboard.models'),
          value: figures.count(byModel(bars, 'requests').length),
          hint: undefined,
        }
      : {
          name: t('dashboard.left'),
          value: figures.brief(user.quota),
          hint: t('dashboard.usedEver', { value: figures.quota(user.used_quota) }),
        },
  ]
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      {cards.map(({ name, value, hint }) => (
        <Card key={name} withBorder p={{ base: 'sm', sm: 'lg' }}>
          <Text size="sm" c="dimmed">
            {name}
          </Text>
          <Text fz={{ base: 20, sm: 26 }} fw={600} lh={1.3} style={{ overflowWrap: 'anywhere' }}>
            {value}
          </Text>
          {hint && (
            <Text size="xs" c="dimmed">
              {hint}
            </Text>
          )}
        </Card>
      ))}
    </SimpleGrid>
  )
}

function Shares({ by, days, metric }: { by: 'users' | 'channels'; days: number; metric: Metric }) {
  const { t } = useTranslation()
  const shares = useShares(days, by)
  const names = useChannelNames(by === 'channels')
  const format = useFormat(metric)
  const label = (name: string) =>
    by === 'users' ? name || t('dashboard.unnamed') : names(Number(name)) || t('dashboard.channel', { id: name })
  const rows = (shares.data ?? [])
    .map((share) => ({
      name: label(share.name),
      value: measure(
        {
          Day: '',
          ModelName: '',
          Quota: share.quota,
          RequestCount: share.request_count,
          PromptTokens: share.prompt_tokens,
          CompletionTokens: share.completion_tokens,
        },
        metric,
      ),
    }))
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST)
  return (
    <Card withBorder p="lg">
      <Title order={2} size="h4" mb="md">
        {t(by === 'users' ? 'dashboard.byUser' : 'dashboard.byChannel')}
      </Title>
      <Stack>
        {shares.isError && <Failure error={shares.error} retry={shares.refetch} />}
        {shares.isPending && <Skeleton h={120} />}
        <Ranking rows={rows} format={format} />
      </Stack>
    </Card>
  )
}
