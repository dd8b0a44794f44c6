import { Alert, Anchor, Button, Code, Group, Stack, TextInput } from '@mantine/core'
import { Link, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { CopyIcon } from '../../ui/copy'
import { useReset } from './api'
import { Panel } from './Panel'

/** Where the link of a mail leads: one click, and the gateway tells the new password. */
export function NewPasswordPage() {
  const { t } = useTranslation()
  const { email = '', token = '' } = useSearch({ from: '/user/reset' })
  const reset = useReset()
  return (
    <Panel title={t('account.renewed.title')} error={reset.error}>
      {reset.isSuccess ? (
        <Alert variant="outline" color="teal" title={t('account.renewed.done')} role="status">
          <Stack gap="sm">
            <Group gap="xs">
              <Code fz="md">{reset.data}</Code>
              <CopyIcon text={reset.data} label={t('account.renewed.copy')} />
            </Group>
            {t('account.renewed.hint')}
            <Anchor component={Link} to="/login" underline="always">
              {t('login.submit')}
            </Anchor>
          </Stack>
        </Alert>
      ) : (
        <>
          <TextInput type="email" label={t('account.email')} value={email} readOnly />
          <Button
            onClick={() => reset.mutate({ email, token })}
            loading={reset.isPending}
            disabled={!email || !token}
          >
            {t('account.renewed.submit')}
          </Button>
        </>
      )}
    </Panel>
  )
}
