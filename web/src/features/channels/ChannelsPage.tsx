import { ActionIcon, Button, Card, Checkbox, Group, Menu, Table, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp, IconDots, IconPlus, IconRefresh } from '@tabler/icons-react'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Confirm } from '../../ui/Confirm'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { tell } from '../../ui/notify'
import { Page } from '../../ui/Page'
import { Pager } from '../../ui/Pager'
import { Waiting } from '../../ui/Waiting'
import { useBalances, useChannels, useRemoveDisabled, useTestMany } from './api'
import { ChannelRow } from './ChannelRow'
import { FilterBar } from './FilterBar'
import { isFiltered, matching, type Filters, type Sort } from './filters'
import classes from './ChannelsPage.module.css'
import { SelectionBar } from './SelectionBar'
import { TestProgress } from './TestProgress'

const ROWS = 20

export function ChannelsPage() {
  const { t } = useTranslation()
  const filters = useSearch({ from: '/channel' })
  const navigate = useNavigate({ from: '/channel' })
  const query = useChannels()
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const change = (more: Filters) =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...more }), replace: true })
  const found = matching(query.data ?? [], filters)
  const page = Math.min(filters.page ?? 0, Math.max(0, Math.ceil(found.length / ROWS) - 1))
  const rows = found.slice(page * ROWS, (page + 1) * ROWS)
  const selected = (query.data ?? []).filter(({ id }) => chosen.has(id))
  const all = found.length > 0 && found.every(({ id }) => chosen.has(id))
  const choose = (id: number, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(id)
    else next.delete(id)
    setChosen(next)
  }

  return (
    <Page
      title={t('channels.title')}
      intro={t('channels.intro')}
      actions={
        <Group gap="xs">
          <Button component={Link} to="/channel/add" leftSection={<IconPlus size={18} aria-hidden />}>
            {t('channels.add')}
          </Button>
          <More />
        </Group>
      }
    >
      <TestProgress />
      {query.isError && <Failure error={query.error} retry={query.refetch} />}
      {query.isPending && <Waiting />}
      {query.data && (
        <FilterBar channels={query.data} filters={filters} change={change}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t('common.refresh')}
            loading={query.isFetching}
            onClick={() => void query.refetch()}
          >
            <IconRefresh size={18} />
          </ActionIcon>
        </FilterBar>
      )}
      {selected.length > 0 && <SelectionBar channels={selected} clear={() => setChosen(new Set())} />}
      {query.data && found.length === 0 && (
        <Empty text={t(isFiltered(filters) ? 'channels.noMatch' : 'channels.empty')} sought={isFiltered(filters)} />
      )}
      {rows.length > 0 && (
        <Card withBorder p={0}>
          <div className={classes.scrolled} tabIndex={-1}>
            <Table miw={{ base: 0, sm: 980 }} verticalSpacing="xs" horizontalSpacing="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th w={40}>
                    <Checkbox
                      aria-label={t('channels.chooseAll')}
                      checked={all}
                      indeterminate={!all && selected.length > 0}
                      onChange={() => setChosen(all ? new Set() : new Set(found.map(({ id }) => id)))}
                    />
                  </Table.Th>
                  <Head by="name" label={t('common.name')} filters={filters} change={change} />
                  <Head by="status" label={t('common.status')} filters={filters} change={change} />
                  <Table.Th visibleFrom="sm">{t('channels.models')}</Table.Th>
                  <Head by="response" label={t('channels.latency')} filters={filters} change={change} />
                  <Head by="priority" label={t('channels.priority')} filters={filters} change={change} />
                  <Head by="weight" label={t('channels.weight')} filters={filters} change={change} />
                  <Head by="used" label={t('channels.used')} filters={filters} change={change} />
                  <Head by="balance" label={t('channels.balance')} filters={filters} change={change} />
                  <Table.Th visibleFrom="sm">{t('common.actions')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((channel) => (
                  <ChannelRow
                    key={channel.id}
                    channel={channel}
                    chosen={chosen.has(channel.id)}
                    choose={(on) => choose(channel.id, on)}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </Card>
      )}
      {found.length > ROWS && (
        <Pager page={page} more={(page + 1) * ROWS < found.length} onChange={(next) => change({ page: next })} />
      )}
    </Page>
  )
}

interface HeadProps {
  by: Sort
  label: string
  filters: Filters
  change: (more: Filters) => void
}

/** The head of a column that sorts by it: downwards first, then upwards. */
function Head({ by, label, filters, change }: HeadProps) {
  const sorted = filters.sort === by
  const Arrow = filters.down ? IconArrowDown : IconArrowUp
  return (
    <Table.Th visibleFrom={by === 'name' ? undefined : 'sm'} aria-sort={sorted ? (filters.down ? 'descending' : 'ascending') : undefined}>
      <UnstyledButton
        fz="sm"
        fw={700}
        style={{ whiteSpace: 'nowrap' }}
        onClick={() => change({ sort: by, down: sorted && filters.down ? undefined : true })}
      >
        {label} {sorted && <Arrow size={12} aria-hidden />}
      </UnstyledButton>
    </Table.Th>
  )
}

/** What is done to many channels, chosen or not. */
function More() {
  const { t } = useTranslation()
  const test = useTestMany()
  const balances = useBalances()
  const remove = useRemoveDisabled()
  const [asking, question] = useDisclosure()
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t('channels.moreActions')}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => test.mutate('all')}>{t('channels.testAll')}</Menu.Item>
          <Menu.Item onClick={() => test.mutate('disabled')}>{t('channels.testDisabled')}</Menu.Item>
          <Menu.Item
            onClick={() => balances.mutate(undefined, { onSuccess: () => tell(t('channels.balancesAsked')) })}
          >
            {t('channels.balances')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item c="var(--mantine-color-error)" onClick={question.open}>
            {t('channels.removeDisabled')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asking}
        title={t('channels.removeDisabled')}
        question={t('channels.confirmDisabled')}
        action={t('common.remove')}
        onClose={question.close}
        onConfirm={() =>
          remove.mutate(undefined, { onSuccess: (count) => tell(t('channels.removedCount', { count })) })
        }
      />
    </>
  )
}
