import { Button, Group, NumberInput, Select, SimpleGrid, Switch, TextInput } from '@mantine/core'
import { useDebouncedCallback, useDisclosure } from '@mantine/hooks'
import { IconFilter, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { fromLocal, toLocal } from '../../ui/time'
import type { Filters } from './api'
import { kinds } from './kinds'

interface Props {
  filters: Filters
  /** Whether an administrator looks at his own alone; undefined for others. */
  own: boolean | undefined
  change: (filters: Filters & { own?: boolean }) => void
  clear: () => void
}

export function FilterBar({ filters, own, change, clear }: Props) {
  const { t } = useTranslation()
  const [cleared, setCleared] = useState(0)
  const [opened, fields] = useDisclosure()
  const filtered = Object.values(filters).some((value) => value !== undefined)
  return (
    <>
      <Button
        hiddenFrom="sm"
        variant="default"
        leftSection={<IconFilter size={16} aria-hidden />}
        onClick={fields.toggle}
        aria-expanded={opened}
      >
        {t('logs.filters')}
      </Button>
      {/* The fields keep what is typed; the key empties them. */}
      <SimpleGrid key={cleared} cols={{ base: 1, xs: 2, sm: own === false ? 4 : 3, lg: own === false ? 4 : 5 }} spacing="sm" visibleFrom={opened ? undefined : 'sm'}>
        <Select
          label={t('logs.type')}
          data={kinds.slice(1).map(({ key }, n) => ({ value: String(n + 1), label: t(`logs.types.${key}`) }))}
          placeholder={t('logs.all')}
          value={filters.type ? String(filters.type) : null}
          onChange={(value) => change({ type: value ? Number(value) : undefined })}
          clearable
          clearButtonProps={{ 'aria-label': t('logs.all') }}
        />
        <Words label={t('logs.model')} value={filters.model} change={(model) => change({ model })} />
        <Words label={t('logs.token')} value={filters.token} change={(token) => change({ token })} />
        {own === false && <Words label={t('logs.user')} value={filters.user} change={(user) => change({ user })} />}
        {own === false && (
          <NumberInput
            label={t('logs.channelId')}
            min={1}
            allowDecimal={false}
            hideControls
            value={filters.channel ?? ''}
            onChange={(value) => change({ channel: Number(value) || undefined })}
          />
        )}
        <Moment label={t('logs.start')} value={filters.start} change={(start) => change({ start })} />
        <Moment label={t('logs.end')} value={filters.end} change={(end) => change({ end })} />
      </SimpleGrid>
      {(own !== undefined || filtered) && (
        <Group justify="space-between">
          {own === undefined ? (
            <span />
          ) : (
            <Switch
              label={t('logs.own')}
              checked={own}
              onChange={(event) =>
                change({ own: event.currentTarget.checked || undefined, user: undefined, channel: undefined })
              }
            />
          )}
          {filtered && (
            <Button
              variant="subtle"
              size="compact-sm"
              leftSection={<IconX size={14} aria-hidden />}
              onClick={() => {
                setCleared(cleared + 1)
                clear()
              }}
            >
              {t('logs.clear')}
            </Button>
          )}
        </Group>
      )}
    </>
  )
}

interface Field<T> {
  label: string
  value: T | undefined
  change: (value: T | undefined) => void
}

/** Names are matched whole; looking waits until the typing pauses. */
function Words({ label, value, change }: Field<string>) {
  const [typed, setTyped] = useState(value ?? '')
  const later = useDebouncedCallback((text: string) => change(text.trim() || undefined), 350)
  return (
    <TextInput
      label={label}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        later(event.currentTarget.value)
      }}
    />
  )
}

function Moment({ label, value, change }: Field<number>) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      defaultValue={value ? toLocal(value) : ''}
      onChange={(event) => change(fromLocal(event.currentTarget.value))}
    />
  )
}
