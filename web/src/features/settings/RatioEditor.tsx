import { ActionIcon, Button, Group, Input, NumberInput, SegmentedControl, Stack, Table, Text, Textarea, TextInput } from '@mantine/core'
import { IconArrowBackUp, IconPlus, IconSearch, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useStatus } from '../../app/session'
import type { Option } from './api'
import { differences, readRatios, writeRatios, type Ratios } from './ratios'

const SHOWN = 20

type View = 'table' | 'changes' | 'json'

interface Props {
  option: Option
  value: string
  label: string
  help: string
  fault?: string
  onChange: (value: string | undefined) => void
}

/** Numbers by name: a table to search and change, what is about to change, and the JSON that is stored. */
export function RatioEditor({ option, value, label, help, fault, onChange }: Props) {
  const { t } = useTranslation()
  const [view, setView] = useState<View>('table')
  const ratios = readRatios(value)
  const saved = readRatios(option.value) ?? new Map<string, number>()
  const changed = ratios ? differences(saved, ratios) : []
  const shown = ratios ? view : 'json' // what cannot be read is mended as text
  const write = (next: Ratios) => onChange(differences(saved, next).length ? writeRatios(next) : undefined)
  return (
    <Stack gap="xs" role="group" aria-label={label}>
      <Group justify="space-between" align="flex-end" gap="xs">
        <Stack gap={0} flex="1 1 260px">
          <Text size="sm" fw={500}>
            {label}
          </Text>
          <Text size="xs" c="dimmed">
            {help}
          </Text>
        </Stack>
        <SegmentedControl
          size="xs"
          aria-label={`${label}: ${t('settings.view')}`}
          data={[
            { value: 'table', label: t('settings.rows', { count: ratios?.size ?? 0 }), disabled: !ratios },
            { value: 'changes', label: t('settings.changed', { count: changed.length }), disabled: !ratios },
            { value: 'json', label: 'JSON' },
          ]}
          value={shown}
          onChange={(next) => setView(next)}
        />
      </Group>
      {shown === 'table' && ratios && (
        <Rows ratios={ratios} saved={saved} write={write} label={label} priced={option.key === 'ModelRatio'} />
      )}
      {shown === 'changes' && ratios && <Changes {...{ ratios, saved, write }} />}
      {shown === 'json' && (
        <Textarea
          aria-label={`${label} JSON`}
          autosize
          minRows={4}
          maxRows={16}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
          onBlur={() => ratios && write(ratios)}
        />
      )}
      {fault && <Input.Error role="alert">{fault}</Input.Error>}
    </Stack>
  )
}

interface RowsProps {
  ratios: Ratios
  saved: Ratios
  write: (ratios: Ratios) => void
  label: string
  priced: boolean
}

function Rows({ ratios, saved, write, label, priced }: RowsProps) {
  const { t } = useTranslation()
  const perUnit = useStatus().data?.quota_per_unit ?? 500_000
  const [keyword, setKeyword] = useState('')
  const [more, setMore] = useState(0)
  const [name, setName] = useState('')
  const sought = keyword.trim().toLowerCase()
  const found = [...ratios].filter(([each]) => each.toLowerCase().includes(sought)).sort(([a], [b]) => a.localeCompare(b))
  const rows = found.slice(0, SHOWN + more)
  const price = (ratio: number) => `$${Number(((ratio * 1_000_000) / perUnit).toPrecision(6))}`
  const set = (each: string, ratio: number | string) => {
    if (ratio !== '' && Number(ratio) !== ratios.get(each)) write(new Map(ratios).set(each, Number(ratio)))
  }
  return (
    <>
      {ratios.size > SHOWN / 2 && (
        <TextInput
          size="xs"
          maw={320}
          aria-label={`${label}: ${t('settings.search')}`}
          placeholder={t('settings.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={keyword}
          onChange={(event) => setKeyword(event.currentTarget.value)}
        />
      )}
      {rows.length > 0 && (
        <Table withTableBorder verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('common.name')}</Table.Th>
              <Table.Th w={{ base: 92, sm: 140 }}>{t('settings.ratio')}</Table.Th>
              {priced && <Table.Th w={110} visibleFrom="sm">{t('settings.price')}</Table.Th>}
              <Table.Th w={48} aria-label={t('common.actions')} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([each, ratio]) => (
              <Table.Tr key={each}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  <Text size="sm" fw={saved.get(each) === ratio ? 400 : 700}>
                    {each}
                  </Text>
                  {priced && (
                    <Text size="xs" c="dimmed" hiddenFrom="sm">
                      {price(ratio)} {t('settings.price')}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <NumberInput
                    size="xs"
                    hideControls
                    decimalScale={9}
                    aria-label={`${label}: ${each}`}
                    value={ratio}
                    onChange={(next) => set(each, next)}
                  />
                </Table.Td>
                {priced && (
                  <Table.Td visibleFrom="sm">
                    <Text size="sm" c="dimmed">
                      {price(ratio)}
                    </Text>
                  </Table.Td>
                )}
                <Table.Td>
                  <ActionIcon
                    variant="subtle"
                    color="red"
                    aria-label={`${t('common.remove')} ${each}`}
                    onClick={() => {
                      const next = new Map(ratios)
                      next.delete(each)
                      write(next)
                    }}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {sought && found.length === 0 && <Text size="sm">{t('settings.noMatch')}</Text>}
      <Group gap="xs">
        {found.length > rows.length && (
          <Button variant="default" size="xs" onClick={() => setMore(more + 5 * SHOWN)}>
            {t('settings.moreRows', { count: found.length - rows.length })}
          </Button>
        )}
        <TextInput
          size="xs"
          aria-label={`${label}: ${t('settings.newName')}`}
          placeholder={t('settings.newName')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button
          variant="default"
          size="xs"
          aria-label={`${label}: ${t('common.add')}`}
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={!name.trim() || ratios.has(name.trim())}
          onClick={() => {
            write(new Map(ratios).set(name.trim(), 1))
            setKeyword(name.trim())
            setName('')
          }}
        >
          {t('common.add')}
        </Button>
      </Group>
    </>
  )
}

/** What saving would change, each with a way back. */
function Changes({ ratios, saved, write }: { ratios: Ratios; saved: Ratios; write: (ratios: Ratios) => void }) {
  const { t } = useTranslation()
  const changed = differences(saved, ratios)
  if (changed.length === 0) return <Text size="sm">{t('settings.noChanges')}</Text>
  return (
    <Table withTableBorder verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('common.name')}</Table.Th>
          <Table.Th w={{ base: 76, sm: 120 }}>{t('settings.before')}</Table.Th>
          <Table.Th w={{ base: 76, sm: 120 }}>{t('settings.after')}</Table.Th>
          <Table.Th w={48} aria-label={t('common.actions')} />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {changed.map(({ name, before, after }) => (
          <Table.Tr key={name}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{name}</Table.Td>
            <Table.Td>{before ?? t('settings.none')}</Table.Td>
            <Table.Td>{after ?? t('settings.none')}</Table.Td>
            <Table.Td>
              <ActionIcon
                variant="subtle"
                aria-label={t('settings.takeBack', { name })}
                onClick={() => {
                  const next = new Map(ratios)
                  if (before === null) next.delete(name)
                  else next.set(name, before)
                  write(next)
                }}
              >
                <IconArrowBackUp size={16} />
              </ActionIcon>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
