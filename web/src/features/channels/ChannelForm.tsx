import { Button, Divider, Group, NumberInput, Select, SimpleGrid, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { focusFirst } from '../../ui/focus'
import { useFetchModels, useGroups, useModelsOfTypes, useSaveChannel } from './api'
import { ConfigInput } from './ConfigInput'
import { draft, values } from './draft'
import { MappingEditor } from './MappingEditor'
import { faultOf, parseObject } from './mapping'
import { Keys } from './Keys'
import { ModelsInput } from './ModelsInput'
import { Parameters } from './Parameters'
import { TypeLogo } from './TypeLogo'
import { composedKey, needsBase, PROXY, typeOf, useChannelTypes } from './types'

interface Props {
  channel: Channel | null
  done: () => void
  cancel: () => void
}

export function ChannelForm({ channel, done, cancel }: Props) {
  const { t } = useTranslation()
  const types = useChannelTypes()
  const groups = useGroups()
  const known = useModelsOfTypes()
  const save = useSaveChannel(channel?.id ?? null)
  const required = (value: string) => (value.trim() ? null : t('common.required'))
  const form = useForm({
    initialValues: values(channel, known.data ?? {}),
    validate: {
      name: required,
      key: (key, { type }) => (channel || composedKey(typeOf(Number(type))) ? null : required(key)),
      baseUrl: (url, { type }) =>
        needsBase(Number(type)) && !url.trim()
          ? t('common.required')
          : !url.trim() || /^https?:\/\/[^\s@\\]+$/.test(url.trim())
            ? null
            : t('channels.badBase'),
      models: (models, { type }) => (models.length > 0 || Number(type) === PROXY ? null : t('channels.noModels')),
      groups: (chosen) => (chosen.length > 0 ? null : t('common.required')),
      headers: (text) => (!text.trim() || parseObject(text) ? null : t('channels.notObject')),
      body: (text) => (!text.trim() || parseObject(text) ? null : t('channels.notObject')),
      mapping: (mapping) => {
        const fault = faultOf(mapping)
        return fault && t(`channels.${fault}`)
      },
    },
  })
  const entered = form.getValues()
  const { type: typeId, mapping } = entered
  const id = Number(typeId)
  const type = typeOf(id)
  const base = types.base(id)
  const models = known.data?.[typeId] ?? []
  const fetched = useFetchModels()
  const fetchModels = () => {
    const stored = channel && !entered.key.trim() && !form.isDirty('baseUrl') && !form.isDirty('type')
    fetched.mutate(stored ? { id: channel.id } : draft(entered), {
      onSuccess: (found) => form.setFieldValue('models', (chosen) => [...new Set([...chosen, ...found])]),
    })
  }
  const several = entered.keyChoice !== '' || entered.key.trim().includes('\n')
  const choose = (next: string | null) => {
    if (!next) return
    const before = known.data?.[typeId] ?? []
    const chosen = form.getValues().models
    form.setFieldValue('type', next)
    // What was filled in for the type before, and not touched since, follows the type.
    if (chosen.every((model) => before.includes(model))) form.setFieldValue('models', known.data?.[next] ?? [])
  }
  return (
    <form ref={focusFirst} onSubmit={form.onSubmit((entered) => save.mutate(draft(entered), { onSuccess: done }))} noValidate>
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label={t('channels.type')}
            data={types.all}
            searchable
            allowDeselect={false}
            maxDropdownHeight={360}
            nothingFoundMessage={t('channels.noMatch')}
            leftSection={<TypeLogo id={id} name={types.name(id)} />}
            renderOption={({ option }) => (
              <Group gap="xs" wrap="nowrap">
                <TypeLogo id={Number(option.value)} name={option.label} />
                {option.label}
              </Group>
            )}
            {...form.getInputProps('type')}
            onChange={choose}
          />
          <TextInput label={t('common.name')} required maxLength={191} data-autofocus {...form.getInputProps('name')} />
        </SimpleGrid>
        <TextInput
          label={t(id === 3 ? 'channels.azure' : needsBase(id) || id === 22 ? 'channels.base' : 'channels.baseOther')}
          description={base ? t('channels.baseHint', { url: base }) : undefined}
          type="url"
          required={needsBase(id)}
          {...form.getInputProps('baseUrl')}
        />
        <SimpleGrid cols={{ base: 1, sm: (type?.config?.length ?? 0) > 1 ? 2 : 1 }}>
          {type?.config?.map((field) => (
            <ConfigInput
              key={field}
              field={field}
              value={form.getValues().config[field] ?? ''}
              onChange={(value) => form.setFieldValue(`config.${field}`, value)}
              kept={Boolean(channel)}
            />
          ))}
        </SimpleGrid>
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
            maxRows={8}
            autoComplete="off"
            spellCheck={false}
            required={!channel}
            {...form.getInputProps('key')}
          />
        )}
        {!composedKey(type) && (several || channel) && (
          <Select
            label={t('channels.keyChoice')}
            description={t('channels.keyChoiceHint')}
            data={(['', 'random', 'round_robin'] as const).map((value) => ({
              value,
              label: t(`channels.keyChoices.${value || 'single'}`),
            }))}
            allowDeselect={false}
            {...form.getInputProps('keyChoice')}
          />
        )}
        {channel?.key_choice && <Keys id={channel.id} />}
        {id !== PROXY && (
          <ModelsInput related={models} known={known.data ?? {}} {...form.getInputProps('models')}>
            <Button variant="default" size="xs" loading={fetched.isPending} onClick={fetchModels}>
              {t('channels.fetch')}
            </Button>
          </ModelsInput>
        )}
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
        {id !== PROXY && (
          <>
            <MappingEditor
              value={mapping}
              onChange={(next) => form.setFieldValue('mapping', next)}
              models={form.getValues().models}
              error={form.errors.mapping as string | undefined}
            />
            <Textarea
              label={t('channels.prompt')}
              description={t('channels.promptHint')}
              autosize
              minRows={2}
              maxRows={10}
              {...form.getInputProps('prompt')}
            />
          </>
        )}
        <Parameters form={form} />
        <Group justify="flex-end">
          <Button variant="default" onClick={cancel}>
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
