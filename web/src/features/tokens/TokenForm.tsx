import { Button, Group, NumberInput, Stack, Switch, TagsInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import type { Token } from '../../api/types'
import { useFigures } from '../../ui/figures'
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

export function TokenForm({ token, done }: { token: Token | null; done: () => void }) {
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
    },
  })
  const { unlimited, limit } = form.getValues()
  return (
    <form onSubmit={form.onSubmit((entered) => save.mutate(draft(entered), { onSuccess: done }))} noValidate>
      <Stack>
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
        <TagsInput
          label={t('tokens.models')}
          description={t('tokens.modelsHint')}
          data={models.data ?? []}
          clearable
          {...form.getInputProps('models')}
        />
        <TextInput
          label={t('tokens.subnet')}
          description={t('tokens.subnetHint')}
          placeholder="10.0.0.0/8, 2001:db8::/32"
          {...form.getInputProps('subnet')}
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

function values(token: Token | null): Values {
  return {
    name: token?.name ?? '',
    unlimited: token?.unlimited_quota ?? false,
    limit: token?.remain_quota ?? 500_000,
    expiry: token && token.expired_time > 0 ? local(token.expired_time) : '',
    models: token?.models ? token.models.split(',') : [],
    subnet: token?.subnet ?? '',
  }
}

function draft(entered: Values): TokenDraft {
  return {
    name: entered.name.trim(),
    unlimited_quota: entered.unlimited,
    remain_quota: Number(entered.limit) || 0,
    expired_time: entered.expiry ? Math.floor(new Date(entered.expiry).getTime() / 1000) : -1,
    models: entered.models.join(','),
    subnet: entered.subnet.trim(),
  }
}

/** Unix seconds as local time without a zone, as <input type="datetime-local"> wants it. */
function local(seconds: number): string {
  const moment = new Date(seconds * 1000)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
