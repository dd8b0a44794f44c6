import { ActionIcon, Button, Card, Group, Stack, Table, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconDownload, IconRefresh } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { Log } from '../../api/types'
import { isAdmin, useUser } from '../../app/session'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { useFigures } from '../../ui/figures'
import { Page } from '../../ui/Page'
import { Pager } from '../../ui/Pager'
import { Waiting } from '../../ui/Waiting'
import { csvAddress, PAGE, useChannelNames, useCost, useLogs, type Filters } from './api'
import { FilterBar } from './FilterBar'
import { LogCard } from './LogCard'
import { Row } from './Row'

export function LogsPage() {
  const { t } = useTranslation()
  const { p: page = 0, own, ...filters } = useSearch({ from: '/log' })
  const navigate = useNavigate({ from: '/log' })
  const admin = isAdmin(useUser())
  const everybody = admin && !own
  const client = useQueryClient()
  const logs = useLogs(filters, page, everybody)
  const channels = useChannelNames(everybody)
  const rows = logs.data ?? []
  const narrow = useMediaQuery('(max-width: 48em)')
  const turn = (p: number) => void navigate({ search: (was) => ({ ...was, p: p || undefined }) })
  const heads = [
    t('logs.time'),
    t('logs.type'),
    ...(everybody ? [t('logs.user'), t('logs.channel')] : []),
    t('logs.token'),
    t('logs.model'),
    t('logs.duration'),
    t('logs.tokens'),
    t('logs.cost'),
    t('logs.details'),
  ]
  return (
    <Page
      title={t('logs.title')}
      intro={t('logs.intro')}
      actions={
        <Group gap="xs">
          <Cost filters={filters} everybody={everybody} />
          <ActionIcon
            variant="default"
            size={36}
            aria-label={t('common.refresh')}
            title={t('common.refresh')}
            loading={logs.isFetching && !logs.isPending}
            onClick={() => void client.invalidateQueries({ queryKey: ['logs'] })}
          >
            <IconRefresh size={18} />
          </ActionIcon>
          <Button
            component="a"
            href={csvAddress(filters, everybody)}
            download
            title={t('logs.csvHint')}
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t('logs.csv')}
          </Button>
        </Group>
      }
    >
      <FilterBar
        filters={filters}
        own={admin ? Boolean(own) : undefined}
        change={(changed) => void navigate({ search: (was) => ({ ...was, ...changed, p: undefined }), replace: true })}
        clear={() => void navigate({ search: {} })}
      />
      {logs.isError && <Failure error={logs.error} retry={logs.refetch} />}
      {logs.isPending && <Waiting />}
      {logs.isSuccess && rows.length === 0 && (
        <Empty text={t('logs.empty')} sought={Object.values(filters).some(Boolean)} />
      )}
      {rows.length > 0 && narrow && (
        <Stack gap="xs">
          {rows.map((log) => (
            <LogCard key={keyOf(log)} log={log} everybody={everybody} channel={channels(log.channel)} />
          ))}
        </Stack>
      )}
      {rows.length > 0 && !narrow && (
        <Card withBorder p={0}>
          <Table.ScrollContainer minWidth={everybody ? 1080 : 860} type="native">
            <Table verticalSpacing="xs" horizontalSpacing="md">
              <Table.Thead>
                <Table.Tr>
                  {heads.map((head) => (
                    <Table.Th key={head} style={{ whiteSpace: 'nowrap' }}>
                      {head}
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((log) => (
                  <Row
                    key={keyOf(log)}
                    log={log}
                    everybody={everybody}
                    channel={channels(log.channel)}
                    columns={heads.length}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Card>
      )}
      {(page > 0 || rows.length === PAGE) && <Pager page={page} more={rows.length === PAGE} onChange={turn} />}
    </Page>
  )
}

/** One's own rows have no number. */
const keyOf = (log: Log) => `${log.request_id} ${log.created_at} ${log.type} ${log.content}`

function Cost({ filters, everybody }: { filters: Filters; everybody: boolean }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const cost = useCost(filters, everybody)
  if (!cost.data) return null
  return (
    <Text size="sm" mr="xs">
      {t('logs.sum')} <b>{figures.exact(cost.data.quota)}</b>
    </Text>
  )
}
