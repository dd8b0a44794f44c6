import { Autocomplete, Card, Group, NumberInput, Select, Stack, Text, Textarea, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustments, IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Token } from '../../api/types'
import classes from './playground.module.css'
import { protocols } from './protocols'

export interface Chosen {
  token?: number
  model?: string
  protocol?: string
  system: string
  temperature?: number
  topP?: number
  maxTokens?: number
}

const STORED = 'one-api-playground'

/** Choices outlive the page; a token that the address names comes first. */
export function useSettings(token: number | undefined) {
  const [settings, setSettings] = useState<Chosen>(() => ({ ...stored(), ...(token ? { token, model: undefined } : {}) }))
  const change = (changed: Partial<Chosen>) => {
    const now = { ...settings, ...changed }
    setSettings(now)
    localStorage.setItem(STORED, JSON.stringify(now))
  }
  return [settings, change] as const
}

function stored(): Chosen {
  try {
    return { system: '', ...(JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<Chosen>) }
  } catch {
    return { system: '' }
  }
}

interface Props {
  tokens: Token[]
  token: Token | undefined
  models: string[]
  model: string
  protocol: string
  settings: Chosen
  change: (changed: Partial<Chosen>) => void
}

export function Settings({ tokens, token, models, model, protocol, settings, change }: Props) {
  const { t } = useTranslation()
  const number = (value: string | number) => (value === '' ? undefined : Number(value))
  const [opened, fields] = useDisclosure()
  return (
    <Card withBorder p="md" className={classes.settings} component="section" aria-label={t('playground.settings')}>
      <UnstyledButton hiddenFrom="md" onClick={fields.toggle} aria-expanded={opened}>
        <Group gap="xs" wrap="nowrap">
          <IconAdjustments size={20} aria-hidden />
          <Text size="sm" truncate>
            {[token?.name, model].filter(Boolean).join(' · ') || t('playground.settings')}
          </Text>
          <IconChevronDown size={16} aria-hidden style={{ marginLeft: 'auto', flex: 'none' }} />
        </Group>
      </UnstyledButton>
      <Stack gap="sm" visibleFrom={opened ? undefined : 'md'} className={classes.fields}>
        <Select
          label={t('playground.token')}
          data={tokens.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={token ? String(token.id) : null}
          onChange={(value) => change({ token: Number(value), model: undefined })}
          allowDeselect={false}
        />
        <Autocomplete
          label={t('playground.model')}
          data={models}
          value={model}
          onChange={(value) => change({ model: value })}
          // All of them, although the field is filled in: it is where one looks for another.
          filter={({ options, search }) => (search === model && models.includes(model) ? options : matching(options, search))}
          limit={200}
        />
        <Select
          label={t('playground.protocol')}
          data={protocols.map(({ name, label }) => ({ value: name, label }))}
          value={protocol}
          onChange={(value) => change({ protocol: value ?? undefined })}
          allowDeselect={false}
        />
        <Textarea
          label={t('playground.system')}
          placeholder={t('playground.systemHint')}
          value={settings.system}
          onChange={(event) => change({ system: event.currentTarget.value })}
          autosize
          minRows={2}
          maxRows={8}
        />
        <NumberInput
          label={t('playground.temperature')}
          placeholder={t('playground.unset')}
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature ?? ''}
          onChange={(value) => change({ temperature: number(value) })}
        />
        <NumberInput
          label={t('playground.topP')}
          placeholder={t('playground.unset')}
          min={0}
          max={1}
          step={0.05}
          value={settings.topP ?? ''}
          onChange={(value) => change({ topP: number(value) })}
        />
        <NumberInput
          label={t('playground.maxTokens')}
          placeholder={t('playground.unset')}
          min={1}
          allowDecimal={false}
          value={settings.maxTokens ?? ''}
          onChange={(value) => change({ maxTokens: number(value) })}
        />
      </Stack>
    </Card>
  )
}

/** Mantine's options may be groups; these never are. */
function matching<T>(options: T[], search: string): T[] {
  const sought = search.trim().toLowerCase()
  return options.filter((option) => (option as { label: string }).label.toLowerCase().includes(sought))
}
