import { Button, Card, Group, Progress, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { Confirm } from '../../ui/Confirm'
import { tell } from '../../ui/notify'
import { useBatch, useTest, type Batch } from './api'

/** What can be done to the chosen channels. */
export function SelectionBar({ channels, clear }: { channels: Channel[]; clear: () => void }) {
  const { t } = useTranslation()
  const [asking, question] = useDisclosure()
  const batch = useBatch()
  const ids = channels.map(({ id }) => id)
  const run = (action: Batch) =>
    batch.mutate(
      { action, ids },
      {
        onSuccess: () => {
          tell(t('common.saved'))
          if (action === 'delete') clear()
        },
      },
    )
  const tests = useTests(channels)
  const count = channels.length
  return (
    <Card withBorder p="sm" role="region" aria-label={t('channels.selection')}>
      <Group gap="xs">
        <Text size="sm" fw={500} mr="xs">
          {t('channels.chosen', { count })}
        </Text>
        <Button size="xs" variant="default" loading={batch.isPending} onClick={() => run('enable')}>
          {t('common.enable')}
        </Button>
        <Button size="xs" variant="default" loading={batch.isPending} onClick={() => run('disable')}>
          {t('common.disable')}
        </Button>
        {tests.running ? (
          <Button size="xs" variant="default" onClick={tests.stop}>
            {t('channels.stop')}
          </Button>
        ) : (
          <Button size="xs" variant="default" onClick={() => void tests.start()}>
            {t('channels.test')}
          </Button>
        )}
        <Button size="xs" variant="default" c="var(--mantine-color-error)" loading={batch.isPending} onClick={question.open}>
          {t('common.remove')}
        </Button>
        <Button size="xs" variant="subtle" onClick={clear}>
          {t('channels.clearChoice')}
        </Button>
      </Group>
      {tests.running && (
        <Group mt="sm" wrap="nowrap" role="status">
          <Progress.Root flex={1}>
            <Progress.Section value={(100 * tests.done) / count} animated aria-label={t('channels.test')} />
          </Progress.Root>
          <Text size="sm">{t('channels.testing', { done: tests.done, total: count })}</Text>
        </Group>
      )}
      <Confirm
        opened={asking}
        title={t('common.remove')}
        question={t('channels.confirmMany', { count })}
        action={t('common.remove')}
        onClose={question.close}
        onConfirm={() => run('delete')}
      />
    </Card>
  )
}

/** One after another, as the gateway's own test of all does it. */
function useTests(channels: Channel[]) {
  const { t } = useTranslation()
  const test = useTest()
  const [done, setDone] = useState(0)
  const [running, setRunning] = useState(false)
  const stopped = useRef(false)
  const isStopped = () => stopped.current
  const start = async () => {
    stopped.current = false
    setDone(0)
    setRunning(true)
    let failed = 0
    try {
      for (const [index, { id }] of channels.entries()) {
        if (isStopped()) break
        if (!(await test.mutateAsync({ id })).passed) failed += 1
        setDone(index + 1)
      }
      tell(failed ? t('channels.failures', { count: failed }) : t('channels.allPassed'))
    } finally {
      setRunning(false)
    }
  }
  return { done, running, start, stop: () => (stopped.current = true) }
}
