import { Button, Group, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useSession } from '../../app/session'
import { tell } from '../../ui/notify'
import { useTestMail } from './api'

/** Sends a mail with the settings as they are saved. */
export function TestMail() {
  const { t } = useTranslation()
  const own = useSession().data?.email ?? ''
  const [address, setAddress] = useState(own)
  const test = useTestMail()
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        test.mutate(address.trim(), { onSuccess: () => tell(t('settings.mailSent', { address })) })
      }}
    >
      <Group align="flex-end" mt="md">
        <TextInput
          flex="1 1 200px"
          maw={360}
          type="email"
          label={t('settings.testMail')}
          description={t('settings.testMailHint')}
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={test.isPending} disabled={!address.trim()}>
          {t('settings.send')}
        </Button>
      </Group>
    </form>
  )
}
