import { Badge, Code, Group, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { Log } from '../../api/types'
import { CopyIcon } from '../../ui/copy'
import { useFigures } from '../../ui/figures'
import { CONSUME } from './kinds'
import { parsePrice } from './price'

/** How a call's cost came about, in words, and what else the row knows. */
export function Details({ log }: { log: Log }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const speed = log.completion_tokens / (log.elapsed_time / 1000)
  return (
    <Stack gap={6} py={4} maw={820}>
      {log.type === CONSUME && <Formula log={log} />}
      {log.content && (
        <Text size="sm">
          <Text span inherit c="dimmed">
            {t('logs.content')}{' '}
          </Text>
          {log.content}
        </Text>
      )}
      <Group gap="md">
        {log.request_id && (
          <Group gap={4}>
            <Text size="sm" c="dimmed">
              {t('logs.request')}
            </Text>
            <Code>{log.request_id}</Code>
            <CopyIcon text={log.request_id} label={t('logs.copyRequest')} size="sm" />
          </Group>
        )}
        {log.completion_tokens > 0 && log.elapsed_time > 0 && (
          <Text size="sm">
            {t('logs.speed', { speed: figures.count(Math.round(speed * 10) / 10) })}
          </Text>
        )}
        {log.system_prompt_reset && (
          <Badge variant="default" tt="none" fw={500}>
            {t('logs.promptReset')}
          </Badge>
        )}
      </Group>
    </Stack>
  )
}

function Formula({ log }: { log: Log }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const price = parsePrice(log.content)
  if (!price) return null
  const { model, group, completion, kinds } = price
  const tokens =
    completion === undefined
      ? figures.count(log.prompt_tokens)
      : `(${figures.count(log.prompt_tokens)} + ${figures.count(log.completion_tokens)} × ${completion})`
  return (
    <>
      <Text size="sm">
        <Text span inherit c="dimmed">
          {t('logs.formula')}{' '}
        </Text>
        <Code fz="sm">
          {tokens} × {model} × {group} → {t('logs.units', { count: log.quota, shown: figures.count(log.quota) })} ={' '}
          {figures.exact(log.quota)}
        </Code>
      </Text>
      <Text size="xs" c="dimmed">
        {completion === undefined
          ? t('logs.meaningPiece', { model, group })
          : t('logs.meaning', { model, group, completion })}
        {kinds.length > 0 && ` ${t('logs.kinds', { kinds: kinds.map(({ name, ratio }) => `${name} × ${ratio}`).join(', ') })}`}
      </Text>
    </>
  )
}
