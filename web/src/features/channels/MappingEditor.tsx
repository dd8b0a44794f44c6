import { ActionIcon, Autocomplete, Button, Group, Input, SegmentedControl, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { IconArrowRight, IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

import { fromPairs, toPairs, type Mapping } from './mapping'

interface Props {
  value: Mapping
  onChange: (value: Mapping) => void
  /** Names to offer on the left. */
  models: string[]
  error?: string
}

/** From the name asked for to the name sent on: a row each, or the JSON that is stored. */
export function MappingEditor({ value, onChange, models, error }: Props) {
  const { t } = useTranslation()
  const { pairs, text } = value
  const parsed = text === null ? pairs : toPairs(text)
  const set = (index: number, part: 0 | 1, name: string) =>
    onChange({
      text: null,
      pairs: pairs.map((pair, at) => (at !== index ? pair : part === 0 ? [name, pair[1]] : [pair[0], name])),
    })
  return (
    <Stack gap="xs" role="group" aria-label={t('channels.mapping')}>
      <Group justify="space-between" align="flex-end">
        <Stack gap={0}>
          <Text size="sm" fw={500}>
            {t('channels.mapping')}
          </Text>
          <Text size="xs" c="dimmed">
            {t('channels.mappingHint')}
          </Text>
        </Stack>
        <SegmentedControl
          size="xs"
          aria-label={t('channels.mapping')}
          data={[
            { value: 'rows', label: t('channels.mappingRows') },
            { value: 'json', label: 'JSON' },
          ]}
          value={text === null ? 'rows' : 'json'}
          onChange={(view) => {
            if (view === 'json') onChange({ pairs, text: pairs.length ? fromPairs(pairs) : '' })
            else if (parsed) onChange({ pairs: parsed, text: null }) // what cannot be read stays to be mended
          }}
        />
      </Group>
      {text === null ? (
        <>
          {pairs.map(([from, to], index) => (
            <Group key={index} gap="xs" wrap="nowrap">
              <Autocomplete
                flex={1}
                aria-label={t('channels.mappingFrom', { number: index + 1 })}
                placeholder={t('channels.mappingAsked')}
                data={models}
                value={from}
                onChange={(name) => set(index, 0, name)}
              />
              <IconArrowRight size={16} aria-hidden />
              <TextInput
                flex={1}
                aria-label={t('channels.mappingTo', { number: index + 1 })}
                placeholder={t('channels.mappingSent')}
                value={to}
                onChange={(event) => set(index, 1, event.currentTarget.value)}
              />
              <ActionIcon
                variant="subtle"
                color="red"
                aria-label={`${t('common.remove')} ${from || index + 1}`}
                onClick={() => onChange({ text: null, pairs: pairs.filter((_, at) => at !== index) })}
              >
                <IconX size={16} />
              </ActionIcon>
            </Group>
          ))}
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => onChange({ text: null, pairs: [...pairs, ['', '']] })}
          >
            {t('channels.mappingAdd')}
          </Button>
        </>
      ) : (
        <Textarea
          aria-label={`${t('channels.mapping')} JSON`}
          autosize
          minRows={3}
          maxRows={14}
          spellCheck={false}
          placeholder={'{"gpt-4o": "my-deployment"}'}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={text}
          onChange={(event) => onChange({ pairs, text: event.currentTarget.value })}
        />
      )}
      {error && <Input.Error role="alert">{error}</Input.Error>}
    </Stack>
  )
}
