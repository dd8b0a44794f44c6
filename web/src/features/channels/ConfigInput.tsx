import { PasswordInput, Select, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { ConfigField } from './types'

interface Props {
  field: ConfigField
  value: string
  onChange: (value: string) => void
  /** Whether the channel exists, and an empty secret keeps what is stored. */
  kept: boolean
}

export function ConfigInput({ field, value, onChange, kept }: Props) {
  const { t } = useTranslation()
  const label = t(`channels.config.${field}`)
  const common = { label, autoComplete: 'off', spellCheck: false, value } as const
  switch (field) {
    case 'responses':
    case 'kept_responses': {
      const words = field === 'responses' ? (['true', 'false', 'only'] as const) : (['true', 'false'] as const)
      return (
        <Select
          label={label}
          description={t(`channels.config.${field}Hint`)}
          placeholder={t(field === 'responses' ? 'channels.config.unsaid' : 'channels.config.false')}
          data={words.map((word) => ({ value: word, label: t(`channels.config.${word}`) }))}
          clearable
          value={value || null}
          onChange={(word) => onChange(word ?? '')}
        />
      )
    }
    case 'ak':
    case 'sk':
      return (
        <PasswordInput
          {...common}
          description={kept ? t('channels.keyKept') : undefined}
          visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )
    case 'vertex_ai_adc':
      return (
        <Textarea
          {...common}
          description={kept ? t('channels.keyKept') : undefined}
          autosize
          minRows={2}
          maxRows={10}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )
    default:
      return (
        <TextInput
          {...common}
          placeholder={field === 'api_version' ? '2024-03-01-preview' : undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )
  }
}
