import { Button, Group, NumberInput, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import type { Token } from '../../api/types'
import { useFigures } from '../../ui/figures'
import { fromLocal, toLocal } from '../../ui/time'
import { type TokenDraft, useModels, useSaveToken } from './api'

interface Values {
  name: string
  unlimited: boolean
  limit: number | string // '' while the field is empty
  expiry: string // as <input type="datetime-local"> has it
  models: string[]
  subnet: string
}

const NAME_BYTES = 30

/** Seconds from now; 0 is never. */
const spans = { never: 0, hour: 3_600, day: 86_400, month: 30 * 86_400, year: 365 * 86_400 } as const

/** What tokens are mostly made for. */
const presets = {
  own: { unlimited: true, limit: 500_000, days: 0 },
  app: { unlimited: false, limit: 5_000_000, days: 0 },
  guest: { unlimited: false, limit: 500_000, days: 1 },
} as const

interface Props {
  token: Token | null
  close: () => void
  done: (token: Token) => void
}

export function TokenForm({ token, close, done }: Props) {
  const { t } = useTranslation()
  const figures = useFigures()
  const models = useModels()
  const save = useSaveToken(token?.id ?? null)
  const form = useForm({
    initialValues: values(token),
    validate: {
      name: (name) => {
        if (!name.trim()) return t('common.required')
        return new TextEncoder().encode(name.trim()).length > NAME_BYTES ? t('tokens.tooLong') : null
      },
      subnet: (subnet) =>
        subnet
          .split(',')
          .filter((each) => each.trim())
          .every((each) => CIDR.test(each.trim()))
          ? null
          : t('tokens.notCidr'),
    },
  })
  const { unlimited, limit } = form.getValues()
  return (
    <form onSubmit={form.onSubmit((entered) => save.mutate(draft(entered), { onSuccess: done }))} noValidate>
      <Stack>
        {!token && (
          <Group gap="xs" role="group" aria-label={t('tokens.presets.title')}>
            <Text size="sm" c="dimmed">
              {t('tokens.presets.title')}
            </Text>
            {(Object.keys(presets) as (keyof typeof presets)[]).map((key) => (
              <Button
                key={key}
                size="compact-sm"
                variant="default"
                onClick={() => {
                  const { unlimited: free, limit: most, days } = presets[key]
                  const typed = form.getValues().name
                  form.setValues({
                    unlimited: free,
                    limit: most,
                    expiry: days ? later(days * spans.day) : '',
                    ...(typed ? {} : { name: t(`tokens.presets.${key}`) }),
                  })
                }}
              >
                {t(`tokens.presets.${key}`)}
              </Button>
            ))}
          </Group>
        )}
        <TextInput label={t('common.name')} required data-autofocus {...form.getInputProps('name')} />
        <Switch label={t('tokens.noLimit')} {...form.getInputProps('unlimited', { type: 'checkbox' })} />
        {!unlimited && (
          <NumberInput
            label={t('tokens.limit')}
            description={t('tokens.limitHint', { amount: figures.amount(Number(limit)) })}
            min={0}
            allowDecimal={false}
            thousandSeparator=" "
            {...form.getInputProps('limit')}
          />
        )}
        <TextInput
          type="datetime-local"
          label={t('tokens.expiry')}
          description={t('tokens.expiryHint')}
          {...form.getInputProps('expiry')}
        />
        
          <Group gap={6} role="group" aria-label={t('tokens.expiry')}>
            {(Object.keys(spans) as (keyof typeof spans)[]).map((span) => (
              <Button
                key={span}
                size="compact-xs"
                variant="default"
                onClick={() => form.setFieldValue('expiry', spans[span] ? later(spans[span]) : '')}
              >
                {t(`tokens.spans.${span}`)}
              </Button>
            ))}
          </Group>
        
        <TagsInput
          label={t('tokens.models')}
          description={t('tokens.modelsHint')}
          data={models.data ?? []}
          clearable
          clearButtonProps={{ 'aria-label': t('tokens.clearModels') }}
          {...form.getInputProps('models')}
        />
        <TextInput
          label={t('tokens.subnet')}
          description={t('tokens.subnetHint')}
          placeholder="10.0.0.0/8, 2001:db8::/32"
          {...form.getInputProps('subnet')}
        />
        {!unlimited && (
          <Text size="sm" c="dimmed">
            {t('tokens.cap')}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
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

/** The gateway decides; this catches what is plainly no network. */
const CIDR = /^[0-9a-f:.]+\/\d{1,3}$/i

const later = (seconds: number) => toLocal(Math.floor(Date.now() / 1000) + seconds)

function values(token: Token | null): Values {
  return {
    name: token?.name ?? '',
    unlimited: token?.unlimited_quota ?? false,
    limit: token?.remain_quota ?? 500_000,
    expiry: token && token.expired_time > 0 ? toLocal(token.expired_time) : '',
    models: token?.models ? token.models.split(',') : [],
    subnet: token?.subnet ?? '',
  }
}

function draft(entered: Values): TokenDraft {
  return {
    name: entered.name.trim(),
    unlimited_quota: entered.unlimited,
    remain_quota: Number(entered.limit) || 0,
    expired_time: fromLocal(entered.expiry) ?? -1,
    models: entered.models.join(','),
    subnet: entered.subnet.trim(),
  }
}
