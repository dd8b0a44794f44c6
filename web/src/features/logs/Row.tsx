import { ActionIcon, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

import type { Log } from '../../api/types'
import { useFigures } from '../../ui/figures'
import { StateBadge } from '../../ui/StateBadge'
import { CONSUME, kinds } from './kinds'
import { Details } from './Details'

interface Props {
  log: Log
  everybody: boolean
  channel: string | undefined
  columns: number
}

export function Row({ log, everybody, channel, columns }: Props) {
  const { t } = useTranslation()
  const figures = useFigures()
  const [opened, details] = useDisclosure()
  const kind = kinds[log.type] ?? kinds[0]
  const called = log.type === CONSUME
  return (
    <>
      <Table.Tr>
        <Table.Td style={{ whiteSpace: 'nowrap' }}>
          <Text size="sm">{figures.second(log.created_at)}</Text>
        </Table.Td>
        <Table.Td>
          <StateBadge color={kind.color} label={t(`logs.types.${kind.key}`)} />
        </Table.Td>
        {everybody && <Table.Td>{log.username}</Table.Td>}
        {everybody && (
          <Table.Td>{log.channel > 0 && <Text size="sm">{channel ? `${channel} (${log.channel})` : log.channel}</Text>}</Table.Td>
        )}
        <Table.Td>{log.token_name}</Table.Td>
        <Table.Td>
          {log.model_name && (
            <Text size="sm" fw={500}>
              {log.model_name}
            </Text>
          )}
          {!called && (
            <Text size={log.model_name ? 'xs' : 'sm'} c="dimmed" lineClamp={2} miw={180} maw={300} style={{ overflowWrap: 'anywhere' }}>
              {log.content}
            </Text>
          )}
        </Table.Td>
        <Table.Td>
          {log.elapsed_time > 0 && <Duration ms={log.elapsed_time} />}
          <FirstToken log={log} />
        </Table.Td>
        <Table.Td style={{ whiteSpace: 'nowrap' }}>
          {called && `${figures.count(log.prompt_tokens)} → ${figures.count(log.completion_tokens)}`}
        </Table.Td>
        <Table.Td style={{ whiteSpace: 'nowrap' }}>{(called || log.quota > 0) && figures.exact(log.quota)}</Table.Td>
        <Table.Td>
          <ActionIcon
            variant="subtle"
            aria-expanded={opened}
            aria-label={t(opened ? 'logs.less' : 'logs.more')}
            onClick={details.toggle}
          >
            {opened ? <IconChevronDown size={18} /> : <IconChevronRight size={18} />}
          </ActionIcon>
        </Table.Td>
      </Table.Tr>
      {opened && (
        <Table.Tr>
          <Table.Td colSpan={columns} bg="light-dark(var(--mantine-color-gray-0), var(--mantine-color-dark-8))">
            <Details log={log} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  )
}

/** The limits are One API's. */
const limits = [
  [1_000, 'teal'],
  [3_000, 'lime'],
  [5_000, 'yellow'],
  [10_000, 'orange'],
] as const

export function Duration({ ms }: { ms: number }) {
  const figures = useFigures()
  const color = limits.find(([limit]) => ms < limit)?.[1] ?? 'red'
  return <StateBadge color={color} label={figures.duration(ms)} />
}

/** That it is a stream, and how long it kept its reader waiting. */
export function FirstToken({ log }: { log: Log }) {
  const { t } = useTranslation()
  const figures = useFigures()
  if (!log.is_stream) return null
  const waited = log.first_token_time > 0 && t('logs.first', { time: figures.duration(log.first_token_time) })
  return (
    <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
      {[t('logs.stream'), waited].filter(Boolean).join(' · ')}
    </Text>
  )
}
