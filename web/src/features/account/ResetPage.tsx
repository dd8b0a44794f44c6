import { Alert, Anchor, Button, Stack, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useStatus } from '../../app/session'
import { useCountdown, useSendReset } from './api'
import { Panel } from './Panel'
import { Turnstile } from './Turnstile'

/** Asks for a link to a new password. */
export function ResetPage() {
  const { t } = useTranslation()
  const status = useStatus().data
  const [email, setEmail] = useState('')
  const [turnstile, setTurnstile] = useState('')
  const mail = useSendReset()
  const wait = useCountdown(30)
  return (
    <Panel title={t('account.reset.title')} intro={t('account.reset.intro')} error={mail.error}>
      {mail.isSuccess && (
        <Alert variant="outline" color="teal" role="status">
          {t('account.reset.sent')}
        </Alert>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          mail.mutate({ email: email.trim(), turnstile }, { onSuccess: wait.start })
        }}
      >
        <Stack>
          <TextInput
            type="email"
            label={t('account.email')}
            autoComplete="email"
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <Turnstile onToken={setTurnstile} />
          <Button
            type="submit"
            loading={mail.isPending}
            disabled={!email.trim() || wait.left > 0 || (status?.turnstile_check && !turnstile)}
          >
            {wait.left > 0 ? t('account.again', { seconds: wait.left }) : t('account.reset.submit')}
          </Button>
        </Stack>
      </form>
      <Anchor component={Link} to="/login" underline="always" size="sm">
        {t('account.back')}
      </Anchor>
    </Panel>
  )
}
