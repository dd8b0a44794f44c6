import { Card, Group, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'

import type { Log } from '../../api/types'
import { useFigures } from '../../ui/figures'
import { StateBadge } from '../../ui/StateBadge'
import { Details } from './Details'
import { CONSUME, kinds } from './kinds'
import { Duration, FirstToken } from './Row'

/** A row on a narrow screen; it opens when it is touched. */
export function LogCard({ log, everybody, channel }: { log: Log; everybody: boolean; channel: string | undefined }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const [opened, details] = useDisclosure()
  const kind = kinds[log.type] ?? kinds[0]
  const called = log.type === CONSUME
  const names = [everybody && log.username, log.token_name, everybody && log.channel > 0 && (channel ?? log.channel)]
  return (
    <Card withBorder p="sm">
      <UnstyledButton onClick={details.toggle} aria-expanded={opened} w="100%">
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text fw={500} size="sm" truncate>
            {log.model_name || log.content}
          </Text>
          {(called || log.quota > 0) && (
            <Text size="sm" fw={500}>
              {figures.exact(log.quota)}
            </Text>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {figures.second(log.created_at)} · {names.filter(Boolean).join(' · ')}
        </Text>
        <Group gap={6} mt={6}>
          <StateBadge color={kind.color} label={t(`logs.types.${kind.key}`)} />
          {log.elapsed_time > 0 && <Duration ms={log.elapsed_time} />}
          <FirstToken log={log} />
          {called && (
            <Text size="xs" c="dimmed">
              {figures.count(log.prompt_tokens)} → {figures.count(log.completion_tokens)}
            </Text>
          )}
        </Group>
      </UnstyledButton>
      {opened && <Details log={log} />}
    </Card>
  )
}
