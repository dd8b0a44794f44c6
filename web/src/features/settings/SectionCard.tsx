import { Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import type { OptionKey } from '../../api/types'
import { Confirm } from '../../ui/Confirm'
import { tell, warn } from '../../ui/notify'
import { useSaveOptions, type Change, type Options, type Refusals } from './api'
import { Discover } from './Discover'
import { OptionInput } from './OptionInput'
import { long, type Section } from './sections'
import classes from './settings.module.css'
import { useFault } from './faults'

interface Props {
  section: Section
  keys: readonly OptionKey[]
  options: Options
  children?: ReactNode
}

/** Options that belong together and are saved together; only what was changed is sent. */
export function SectionCard({ section, keys, options, children }: Props) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState<Partial<Record<OptionKey, string>>>({})
  const [refused, setRefused] = useState<Refusals>({})
  const [asking, setAsking] = useState(false)
  const faultOf = useFault()
  const save = useSaveOptions()
  const changes = keys.flatMap((key): Change[] => {
    const value = draft[key]
    if (value === undefined) return []
    // A secret is never told: whatever is entered changes it.
    return options[key].secret || value !== options[key].value ? [[key, value.trim() === '' ? '' : tidy(key, value)]] : []
  })
  const faults = Object.fromEntries(changes.map(([key, value]) => [key, faultOf(options[key], value)])) as Refusals
  const invalid = changes.some(([key]) => faults[key])
  const locksOut = changes.some(([key, value]) => key === 'PasswordLoginEnabled' && value === 'false')
  const run = () =>
    save.mutate(changes, {
      onSuccess: (refusals) => {
        setRefused(refusals)
        const kept = Object.entries(draft).filter(([key]) => key in refusals)
        setDraft(Object.fromEntries(kept))
        if (kept.length === 0) tell(t('common.saved'))
        else warn(Object.values(refusals).join(' '))
      },
    })
  const set = (key: OptionKey, value: string | undefined) => {
    setDraft({ ...draft, [key]: value })
    setRefused({ ...refused, [key]: undefined })
  }
  const input = (key: OptionKey) => (
    <OptionInput
      key={key}
      option={options[key]}
      value={draft[key]}
      address={options.ServerAddress.value || location.origin}
      fault={faults[key] ?? refused[key]}
      onChange={(value) => set(key, value)}
    />
  )
  const wide = (key: OptionKey) => options[key].kind === 'ratios' || options[key].kind === 'list' || long.has(key)
  const name = t(`settings.sections.${section}`)
  return (
    <Card withBorder p={{ base: 'md', sm: 'lg' }} component="section" id={section} className={classes.section} aria-label={name}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (invalid || changes.length === 0) return
          if (locksOut) setAsking(true)
          else run()
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            {name}
          </Title>
          {keys.some((key) => !wide(key)) && (
            <SimpleGrid cols={{ base: 1, sm: keys.length > 1 ? 2 : 1 }}>
              {keys.filter((key) => !wide(key)).map(input)}
            </SimpleGrid>
          )}
          {keys.filter(wide).map(input)}
          {section === 'oidc' && (
            <Discover
              address={draft.OidcWellKnown ?? options.OidcWellKnown.value}
              fill={(found) => setDraft({ ...draft, ...found })}
            />
          )}
          <Group justify="flex-end">
            {changes.length > 0 && (
              <>
                <Text size="sm" role="status">
                  {invalid ? t('settings.invalid') : t('settings.changes', { count: changes.length })}
                </Text>
                <Button
                  variant="default"
                  onClick={() => {
                    setDraft({})
                    setRefused({})
                  }}
                >
                  {t('settings.discard')}
                </Button>
              </>
            )}
            <Button
              type="submit"
              loading={save.isPending}
              disabled={invalid || changes.length === 0}
              aria-label={t('settings.saveOf', { section: name })}
            >
              {t('common.save')}
            </Button>
          </Group>
        </Stack>
      </form>
      {children}
      <Confirm
        opened={asking}
        title={t('settings.options.PasswordLoginEnabled.label')}
        question={t('settings.confirmLogin')}
        action={t('common.save')}
        onClose={() => setAsking(false)}
        onConfirm={run}
      />
    </Card>
  )
}

const tidy = (key: OptionKey, value: string) => (key === 'ServerAddress' ? value.trim().replace(/\/+$/, '') : value)
