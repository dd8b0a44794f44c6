import { CloseButton, Group, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { isFiltered, occurring, type Filters } from './filters'
import { states } from './states'
import { useChannelTypes } from './types'

interface Props {
  channels: Channel[]
  filters: Filters
  change: (more: Filters) => void
  children: ReactNode
}

export function FilterBar({ channels, filters, change, children }: Props) {
  const { t } = useTranslation()
  const types = useChannelTypes()
  const [keyword, setKeyword] = useState(filters.q ?? '')
  const seek = useDebouncedCallback((q: string) => change({ q: q || undefined }), 200)
  const used = new Set(channels.map(({ type }) => String(type)))
  const select = { clearable: true, size: 'sm', maw: 180, flex: '1 1 130px', miw: 110 } as const
  return (
    <Group gap="xs" role="search" aria-label={t('channels.title')}>
      <TextInput
        aria-label={t('channels.search')}
        placeholder={t('channels.search')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={keyword}
        onChange={(event) => {
          setKeyword(event.currentTarget.value)
          seek(event.currentTarget.value)
        }}
        flex="1 1 180px"
        maw={260}
      />
      <Select
        {...select}
        aria-label={t('channels.groups')}
        placeholder={t('channels.groups')}
        data={occurring(channels, 'group')}
        value={filters.group ?? null}
        onChange={(group) => change({ group: group ?? undefined })}
      />
      <Select
        {...select}
        aria-label={t('channels.type')}
        placeholder={t('channels.type')}
        data={types.all.filter(({ value }) => used.has(value))}
        value={filters.type ? String(filters.type) : null}
        onChange={(type) => change({ type: type ? Number(type) : undefined })}
      />
      <Select
        {...select}
        aria-label={t('common.status')}
        placeholder={t('common.status')}
        data={[1, 2, 3].map((status) => ({ value: String(status), label: t(`channels.states.${states(status).name}`) }))}
        value={filters.status ? String(filters.status) : null}
        onChange={(status) => change({ status: status ? Number(status) : undefined })}
      />
      <Select
        {...select}
        searchable
        limit={200}
        nothingFoundMessage={t('channels.noMatch')}
        aria-label={t('channels.model')}
        placeholder={t('channels.model')}
        data={occurring(channels, 'models')}
        value={filters.model ?? null}
        onChange={(model) => change({ model: model ?? undefined })}
      />
      {isFiltered(filters) && (
        <CloseButton
          size="lg"
          aria-label={t('channels.clearFilters')}
          onClick={() => {
            setKeyword('')
            change({ q: undefined, group: undefined, type: undefined, status: undefined, model: undefined })
          }}
        />
      )}
      {children}
    </Group>
  )
}
