import {
  Button,
  Divider,
  Group,
  JsonInput,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { useGroups, useModelsOfTypes, useSaveChannel } from './api'
import { draft, parseObject, values } from './draft'
import { composedKey, typeOf, useChannelTypes } from './types'

export function ChannelForm({ channel, done }: { channel: Channel | null; done: () => void }) {
  const { t } = useTranslation()
  const types = useChannelTypes()
  const groups = useGroups()
  const known = useModelsOfTypes()
  const save = useSaveChannel(channel?.id ?? null)
  const form = useForm({
    initialValues: values(channel),
    validate: {
      name: (name) => (name.trim() ? null : t('common.required')),
      key: (key, { type }) => (channel || key.trim() || composedKey(typeOf(Number(type))) ? null : t('common.required')),
      mapping: (mapping) => (!mapping.trim() || parseObject(mapping) ? null : t('channels.notJson')),
    },
  })
  const { type: typeId } = form.getValues()
  const type = typeOf(Number(typeId))
  const base = types.base(Number(typeId))
  const models = known.data?.[typeId] ?? []
  return (
    <form onSubmit={form.onSubmit((entered) => save.mutate(draft(entered), { onSuccess: done }))} noValidate>
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label={t('channels.type')}
            data={types.all}
            searchable
            allowDeselect={false}
            {...form.getInputProps('type')}
          />
          <TextInput label={t('common.name')} required data-autofocus {...form.getInputProps('name')} />
        </SimpleGrid>
        <TextInput
          label={t('channels.base')}
          description={base ? t('channels.baseHint', { url: base }) : undefined}
          type="url"
          {...form.getInputProps('baseUrl')}
        />
        {type?.config?.map((field) => (
          <TextInput
            key={field}
            label={t(`channels.config.${field}`)}
            autoComplete="off"
            {...form.getInputProps(`config.${field}`)}
            value={form.getValues().config[field] ?? ''}
          />
        ))}
        {!composedKey(type) && (
          <Textarea
            label={t('channels.key')}
            description={[
              type?.key && t('channels.keyFormat', { format: type.key }),
              t(channel ? 'channels.keyKept' : 'channels.keyHint'),
            ]
              .filter(Boolean)
              .join(' · ')}
            autosize
            minRows={1}
            maxRows={6}
            autoComplete="off"
            spellCheck={false}
            required={!channel}
            {...form.getInputProps('key')}
          />
        )}
        <TagsInput
          label={t('channels.models')}
          description={t('channels.modelsHint')}
          data={models}
          clearable
          {...form.getInputProps('models')}
        />
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            disabled={models.length === 0}
            onClick={() => form.setFieldValue('models', (chosen) => [...new Set([...chosen, ...models])])}
          >
            {t('channels.fill')}
          </Button>
          <Button variant="default" size="xs" onClick={() => form.setFieldValue('models', [])}>
            {t('channels.clear')}
          </Button>
        </Group>
        <Divider label={t('channels.more')} labelPosition="left" />
        <TagsInput
          label={t('channels.groups')}
          description={t('channels.groupsHint')}
          data={groups.data ?? []}
          {...form.getInputProps('groups')}
        />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <NumberInput
            label={t('channels.priority')}
            description={t('channels.priorityHint')}
            allowDecimal={false}
            {...form.getInputProps('priority')}
          />
          <NumberInput
            label={t('channels.weight')}
            description={t('channels.weightHint')}
            allowDecimal={false}
            min={0}
            {...form.getInputProps('weight')}
          />
        </SimpleGrid>
        <JsonInput
          label={t('channels.mapping')}
          description={t('channels.mappingHint')}
          placeholder={'{"gpt-4o": "my-deployment"}'}
          autosize
          minRows={2}
          formatOnBlur
          {...form.getInputProps('mapping')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={done}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('common.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
