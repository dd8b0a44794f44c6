import { Card, Group, Table, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { get } from '../api/client'
import { Empty } from './Empty'
import { Failure } from './Failure'
import classes from './List.module.css'
import { Pager } from './Pager'
import { Waiting } from './Waiting'

/** Rows on a page of the API, which tells no total: a full page may have a next one. */
const PAGE = 10

interface Props<T> {
  /** The API's path, such as /api/token; also the key under which the rows are cached. */
  path: string
  heads: string[]
  row: (item: T) => ReactNode
  empty: string
  /** More of the query of a page; a search has none. */
  query?: Record<string, string>
  /** What the search looks for, if not names. */
  search?: string
  /** Beside the search. */
  tools?: ReactNode
}

/** The heads for the style sheet, which writes them beside the values where rows are cards. */
const besides = (heads: string[]) =>
  Object.fromEntries(heads.map((head, n) => [`--head-${n + 1}`, JSON.stringify(head)]))

export function List<T>({ path, heads, row, empty, query: more, search, tools }: Props<T>) {
  const { t } = useTranslation()
  const [keyword, setKeyword] = useState('')
  const [sought] = useDebouncedValue(keyword.trim(), 250)
  const [page, setPage] = useState(0)
  const query = useQuery({
    queryKey: more ? [path, sought, page, more] : [path, sought, page],
    queryFn: () => (sought ? get<T[]>(`${path}/search`, { keyword: sought }) : get<T[]>(`${path}/`, { p: page, ...more })),
    placeholderData: keepPreviousData,
  })
  const rows = query.data ?? []
  const paged = !sought && (page > 0 || rows.length === PAGE)

  return (
    <>
      <Group gap="xs">
        <TextInput
          aria-label={search ?? t('common.search')}
          placeholder={search ?? t('common.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={keyword}
          onChange={(event) => {
            setKeyword(event.currentTarget.value)
            setPage(0)
          }}
          flex="1 1 220px"
          maw={{ base: 'none', sm: 320 }}
        />
        {tools}
      </Group>
      {query.isError && <Failure error={query.error} retry={query.refetch} />}
      {query.isPending && <Waiting />}
      {query.isSuccess && rows.length === 0 && (
        <Empty text={sought ? t('common.noMatch') : empty} sought={sought !== ''} />
      )}
      {rows.length > 0 && (
        <Card withBorder p={0}>
          <div className={classes.list} tabIndex={-1}>
            <Table verticalSpacing="sm" horizontalSpacing="md" style={besides(heads)}>
              <Table.Thead>
                <Table.Tr>
                  {heads.map((head) => (
                    <Table.Th key={head} style={{ whiteSpace: 'nowrap' }}>{head}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>{rows.map(row)}</Table.Tbody>
            </Table>
          </div>
        </Card>
      )}
      {paged && <Pager page={page} more={rows.length === PAGE} onChange={setPage} />}
    </>
  )
}
