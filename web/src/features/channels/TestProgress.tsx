import { Card, Group, Progress, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'

import { tell } from '../../ui/notify'
import { CHANNELS, useProgress } from './api'

/** How far a test of many channels is, whoever began it; nothing while none runs. */
export function TestProgress() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const progress = useProgress().data
  const ran = useRef(false)
  const failed = progress?.failed ?? 0
  const running = progress?.running ?? false
  const done = progress?.done ?? 0
  useEffect(() => {
    if (running || ran.current) void client.invalidateQueries({ queryKey: [CHANNELS] })
    if (ran.current && !running)
      tell(`${t('channels.testing', { done, total: done })} · ${failed ? t('channels.failures', { count: failed }) : t('channels.allPassed')}`)
    ran.current = running
  }, [client, running, done, failed, t])
  if (!progress?.running) return null
  const percent = progress.total ? (100 * done) / progress.total : 0
  return (
    <Card withBorder p="md" role="status">
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={500}>
          {progress.total ? t('channels.testing', { done, total: progress.total }) : t('common.wait')}
        </Text>
        {progress.failed > 0 && <Text size="sm">{t('channels.failures', { count: progress.failed })}</Text>}
      </Group>
      <Progress.Root>
        <Progress.Section value={percent} animated aria-label={t('channels.testAll')} />
      </Progress.Root>
    </Card>
  )
}
