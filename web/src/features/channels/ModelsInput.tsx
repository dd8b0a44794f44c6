import { Button, Group, Stack, TagsInput, Text } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { tell } from '../../ui/notify'

interface Props {
  /** The models of the chosen type. */
  related: string[]
  /** The models of all types. */
  known: Record<string, string[] | null>
  value?: string[]
  onChange: (models: string[]) => void
  error?: ReactNode
  /** More ways to fill it in. */
  children?: ReactNode
}

export function ModelsInput({ related, known, value = [], onChange, error, children }: Props) {
  const { t } = useTranslation()
  const clipboard = useClipboard()
  const all = Object.values(known).flatMap((models) => models ?? [])
  const add = (models: string[]) => onChange([...new Set([...value, ...models])])
  const button = { variant: 'default', size: 'xs' } as const
  return (
    <Stack gap="xs">
      <TagsInput
        label={t('channels.models')}
        description={t('channels.modelsHint')}
        data={related}
        limit={100}
        splitChars={[',', ' ', '\n']}
        required
        clearable
        clearButtonProps={{ 'aria-label': t('channels.clear') }}
        styles={{ input: { maxHeight: 220, overflowY: 'auto' } }}
        value={value}
        onChange={onChange}
        error={error}
      />
      <Group gap="xs">
        <Button {...button} disabled={related.length === 0} onClick={() => add(related)}>
          {t('channels.fill')}
        </Button>
        <Button {...button} disabled={all.length === 0} onClick={() => add(all)}>
          {t('channels.fillAll')}
        </Button>
        {children}
        <Button {...button} disabled={value.length === 0} onClick={() => onChange([])}>
          {t('channels.clear')}
        </Button>
        <Button
          {...button}
          disabled={value.length === 0}
          onClick={() => {
            clipboard.copy(value.join(','))
            tell(t('channels.modelsCopied'))
          }}
        >
          {t('channels.copyModels')}
        </Button>
        <Text size="xs" c="dimmed" role="status">
          {t('channels.modelCount', { count: value.length })}
        </Text>
      </Group>
    </Stack>
  )
}
