import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import type { User } from '../../api/types'
import { Dialog } from '../../ui/Dialog'
import { useFigures } from '../../ui/figures'
import { tell } from '../../ui/notify'
import { QuotaInput } from '../../ui/QuotaInput'
import { useTopUp } from './api'

export function TopUpDialog({ user, close }: { user: User; close: () => void }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const topUp = useTopUp()
  const form = useForm({
    initialValues: { quota: 500_000 as number | string, remark: '' },
    validate: { quota: (quota) => (Number(quota) > 0 ? null : t('common.required')) },
  })
  return (
    <Dialog opened onClose={close} title={`${t('users.topUp')} ${user.username}`} centered>
      <form
        noValidate
        onSubmit={form.onSubmit(({ quota, remark }) =>
          topUp.mutate(
            { user_id: user.id, quota: Number(quota), remark },
            {
              onSuccess: () => {
                tell(t('common.saved'))
                close()
              },
            },
          ),
        )}
      >
        <Stack>
          <Text size="sm">{t('users.balance', { amount: figures.quota(user.quota) })}</Text>
          <QuotaInput label={t('users.quota')} min={1} required data-autofocus {...form.getInputProps('quota')} />
          <TextInput label={t('users.remark')} description={t('users.remarkHint')} {...form.getInputProps('remark')} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={topUp.isPending}>
              {t('users.topUp')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
