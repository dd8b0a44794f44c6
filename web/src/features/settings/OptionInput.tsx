import { Button, Group, PasswordInput, Select, Stack, Switch, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { useFigures } from '../../ui/figures'
import type { Option } from './api'
import { RatioEditor } from './RatioEditor'
import { long, quotas } from './sections'

interface Props {
  option: Option
  /** What was entered; undefined while nothing was. */
  value: string | undefined
  /** The site's own address, which some helps name. */
  address: string
  fault?: string
  onChange: (value: string | undefined) => void
}

/** The input that an option's kind asks for. */
export function OptionInput(props: Props) {
  return (
    <div data-option={props.option.key}>
      <Input {...props} />
    </div>
  )
}

function Input({ option, value, address, fault, onChange }: Props) {
  const { t } = useTranslation()
  const figures = useFigures()
  const { key, kind } = option
  const label = t(`settings.options.${key}.label`)
  const help = t(`settings.options.${key}.help`, { address })
  const current = value ?? option.value
  if (option.secret) return <Secret {...{ option, value, label, help, fault, onChange }} />
  switch (kind) {
    case 'switch':
      return (
        <Switch
          label={label}
          description={help}
          error={fault}
          checked={current === 'true'}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
      )
    case 'ratios':
      return <RatioEditor {...{ option, value: current, label, help, fault, onChange }} />
    case 'list':
      return (
        <TagsInput
          label={label}
          description={help}
          error={fault}
          splitChars={[',', ' ']}
          clearable
          clearButtonProps={{ 'aria-label': t('settings.clear', { label }) }}
          value={current.split(',').filter(Boolean)}
          onChange={(items) => onChange(items.join(','))}
        />
      )
    case 'text':
      if (option.choices.length > 0)
        return (
          <Select
            label={label}
            description={help}
            error={fault}
            data={option.choices}
            allowDeselect={false}
            value={current}
            onChange={(choice) => onChange(choice ?? undefined)}
          />
        )
      if (long.has(key))
        return (
          <Textarea
            label={label}
            description={help}
            error={fault}
            autosize
            minRows={key === 'Footer' ? 2 : 4}
            maxRows={18}
            value={current}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
        )
      break
    default:
      break
  }
  return (
    <TextInput
      label={label}
      description={
        quotas.has(key) && Number.isFinite(Number(current)) ? `${help} (${figures.amount(Number(current))})` : help
      }
      error={fault}
      inputMode={kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : undefined}
      autoComplete="off"
      spellCheck={false}
      value={current}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

type SecretProps = Omit<Props, 'address'> & { label: string; help: string }

/** Written, never shown. Empty keeps what is stored; it goes only when told so. */
function Secret({ option, value, label, help, fault, onChange }: SecretProps) {
  const { t } = useTranslation()
  const going = value === ''
  return (
    <Stack gap={4}>
      <PasswordInput
        label={label}
        description={help}
        error={fault}
        placeholder={going ? t('settings.goes') : t(option.stored ? 'settings.stored' : 'settings.unset')}
        autoComplete="new-password"
        spellCheck={false}
        visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
        value={value ?? ''}
        onChange={(event) => onChange(event.currentTarget.value || undefined)}
      />
      {option.stored && (
        <Group gap="xs">
          {going ? (
            <Text size="xs">{t('settings.goes')}</Text>
          ) : (
            <Button variant="subtle" size="compact-xs" onClick={() => onChange('')} aria-label={t('settings.clear', { label })}>
              {t('settings.removeStored')}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  )
}
