import { Button, Card, Group, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconExternalLink, IconGift } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { post } from '../../api/client'
import { SELF } from '../../app/query'
import { useStatus, useUser } from '../../app/session'
import { useFigures } from '../../ui/figures'
import { tell } from '../../ui/notify'
import { Page } from '../../ui/Page'
import { address } from '../tokens/server'
import { Invite } from './Invite'

export function TopupPage() {
  const { t } = useTranslation()
  const figures = useFigures()
  const user = useUser()
  return (
    <Page title={t('topup.title')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Card withBorder p="lg">
          <Text size="sm" c="dimmed">
            {t('topup.left')}
          </Text>
          <Text fz={34} fw={600} lh={1.3}>
            {figures.brief(user.quota)}
          </Text>
          <Text size="sm" c="dimmed">
            {t('topup.used', { used: figures.quota(user.used_quota), count: user.request_count })}
          </Text>
          <Button
            renderRoot={(props) => <Link {...props} to="/log" search={{ type: 1 }} />}
            variant="default"
            size="xs"
            mt="md"
            w="fit-content"
          >
            {t('topup.history')}
          </Button>
        </Card>
        <Card withBorder p="lg">
          <Redeem />
        </Card>
        <Buy />
        <Invite />
      </SimpleGrid>
    </Page>
  )
}

function Redeem() {
  const { t } = useTranslation()
  const figures = useFigures()
  const client = useQueryClient()
  const [code, setCode] = useState('')
  const redeem = useMutation({
    mutationFn: () => post<number>('/api/user/topup', { key: code.trim() }),
    meta: { inline: true },
    onSuccess: async (quota) => {
      setCode('')
      tell(t('topup.redeemed', { quota: figures.quota(quota) }))
      await client.invalidateQueries({ queryKey: SELF })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (code.trim()) redeem.mutate()
      }}
    >
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('topup.redeem')}
        </Title>
        <TextInput
          label={t('topup.code')}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          error={redeem.error?.message}
          autoComplete="off"
          spellCheck={false}
        />
        <Button
          type="submit"
          w="fit-content"
          disabled={!code.trim()}
          loading={redeem.isPending}
          leftSection={<IconGift size={18} aria-hidden />}
        >
          {t('topup.submit')}
        </Button>
      </Stack>
    </form>
  )
}

/** The operator's shop is told who comes, as One API tells it. */
function Buy() {
  const { t } = useTranslation()
  const user = useUser()
  const shop = address(useStatus().data?.top_up_link ?? '')
  const leave = () => {
    const url = new URL(shop)
    url.searchParams.set('username', user.username)
    url.searchParams.set('user_id', String(user.id))
    url.searchParams.set('transaction_id', transaction())
    window.open(url, '_blank', 'noopener')
  }
  return (
    <Card withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('topup.buy')}
        </Title>
        <Text size="sm" c="dimmed">
          {t(shop ? 'topup.buyHint' : 'topup.noShop')}
        </Text>
        {shop && (
          <Group>
            <Button variant="default" rightSection={<IconExternalLink size={16} aria-hidden />} onClick={leave}>
              {t('topup.toShop')}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  )
}

/** A random UUID, also where the page is not served over TLS. */
function transaction(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}
