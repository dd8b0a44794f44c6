import { Badge, Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'

import { useUser } from '../../app/session'
import { Confirm } from '../../ui/Confirm'
import { CopyIcon } from '../../ui/copy'
import { Facts } from '../../ui/Facts'
import { useFigures } from '../../ui/figures'
import { Page } from '../../ui/Page'
import { Snippet } from '../../ui/Snippet'
import { useModels } from '../tokens/api'
import { Invite } from '../topup/Invite'
import { useAccessToken } from './api'
import { Bindings } from './Bindings'
import { DeleteAccount } from './DeleteAccount'
import { Names, Password } from './forms'

const roles: Record<number, 'user' | 'admin' | 'root'> = { 1: 'user', 10: 'admin', 100: 'root' }

export function ProfilePage() {
  const { t } = useTranslation()
  const figures = useFigures()
  const user = useUser()
  return (
    <Page title={t('profile.title')} intro={t('profile.intro')}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Stack>
          <Facts
            title={user.display_name || user.username}
            facts={[
              [t('profile.id'), String(user.id)],
              [t('profile.role'), t(`profile.roles.${roles[user.role] ?? 'user'}`)],
              [t('profile.group'), user.group],
              [t('profile.left'), figures.quota(user.quota)],
              [t('profile.requests'), figures.count(user.request_count)],
            ]}
          />
          <Names />
          <Password />
        </Stack>
        <Stack>
          <Bindings />
          <AccessToken />
          <Invite />
          <Models />
          <DeleteAccount />
        </Stack>
      </SimpleGrid>
    </Page>
  )
}

function AccessToken() {
  const { t } = useTranslation()
  const [asking, question] = useDisclosure()
  const token = useAccessToken()
  return (
    <Card withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('profile.access.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('profile.access.hint')}
        </Text>
        {token.data && (
          <>
            <Snippet text={token.data} label={t('profile.access.title')} />
            <Text size="sm">{t('profile.access.once')}</Text>
          </>
        )}
        <Group>
          <Button variant="default" onClick={question.open} loading={token.isPending}>
            {t('profile.access.make')}
          </Button>
        </Group>
      </Stack>
      <Confirm
        opened={asking}
        title={t('profile.access.make')}
        question={t('profile.access.ask')}
        action={t('common.confirm')}
        onConfirm={() => token.mutate()}
        onClose={question.close}
      />
    </Card>
  )
}

function Models() {
  const { t } = useTranslation()
  const models = useModels().data ?? []
  const [all, { toggle }] = useDisclosure()
  if (models.length === 0) return null
  const shown = all ? models : models.slice(0, 12)
  return (
    <Card withBorder p="lg">
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Title order={2} size="h4">
          {t('profile.models')}
        </Title>
        <CopyIcon text={models.join(',')} label={t('profile.copyModels')} />
      </Group>
      <Group gap={6}>
        {shown.map((model) => (
          <Badge key={model} variant="default" tt="none" fw={500}>
            {model}
          </Badge>
        ))}
      </Group>
      {models.length > 12 && (
        <Button variant="subtle" size="compact-sm" mt="sm" w="fit-content" onClick={toggle}>
          {all ? t('profile.fewer') : t('profile.more', { count: models.length - 12 })}
        </Button>
      )}
    </Card>
  )
}
