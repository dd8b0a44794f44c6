import { Button, Group, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { Confirm } from '../../ui/Confirm'
import { tell } from '../../ui/notify'
import { useForgetLogs } from './api'

const MONTH = 30 * 24 * 3600 * 1000

/** In the form a browser's input of a time has. */
const local = (time: Date) => new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

export function ForgetLogs() {
  const { t } = useTranslation()
  const [before, setBefore] = useState(() => local(new Date(Date.now() - MONTH)))
  const [asking, question] = useDisclosure()
  const forget = useForgetLogs()
  const seconds = Math.floor(new Date(before).getTime() / 1000)
  return (
    <Group align="flex-end" mt="md">
      <TextInput
        type="datetime-local"
        label={t('settings.forget')}
        description={t('settings.forgetHint')}
        value={before}
        onChange={(event) => setBefore(event.currentTarget.value)}
      />
      <Button
        variant="default"
        c="var(--mantine-color-error)"
        loading={forget.isPending}
        disabled={!Number.isFinite(seconds) || seconds <= 0}
        onClick={question.open}
      >
        {t('settings.forgetNow')}
      </Button>
      <Confirm
        opened={asking}
        title={t('settings.forget')}
        question={t('settings.confirmForget', { time: new Date(seconds * 1000).toLocaleString() })}
        action={t('settings.forgetNow')}
        onClose={question.close}
        onConfirm={() => forget.mutate(seconds, { onSuccess: (count) => tell(t('settings.forgotten', { count })) })}
      />
    </Group>
  )
}
