import { Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { get } from '../../api/client'
import { useUser } from '../../app/session'
import { CopyIcon } from '../../ui/copy'

/** A link that tells who invited whoever registers with it; the code is made when it is first asked for. */
export function Invite() {
  const { t } = useTranslation()
  const user = useUser()
  const make = useMutation({ mutationFn: () => get<string>('/api/user/aff') })
  const code = make.data ?? user.aff_code
  const link = `${location.origin}/register?aff=${code}`
  return (
    <Card withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('topup.invite')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('topup.inviteHint')}
        </Text>
        {code ? (
          <TextInput
            label={t('topup.link')}
            value={link}
            readOnly
            rightSection={<CopyIcon text={link} label={t('topup.copyLink')} />}
            onFocus={(event) => event.currentTarget.select()}
          />
        ) : (
          <Group>
            <Button variant="default" onClick={() => make.mutate()} loading={make.isPending}>
              {t('topup.makeLink')}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  )
}
